import { X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AcmeConfig } from '../config/acme.js';
import { writeSecretFile } from '../passwd/secret-file.js';
import { startChallengeServer } from './challenge-server.js';

/** Renewed when no more than this part of its life is left. */
const RENEW_AT = 1 / 3;

/** How often the authority is asked whether it has looked: ever more rarely, for two minutes. */
const POLL_MS_MIN = 500;
const POLL_MS_MAX = 15_000;
const POLLS_MAX = 12;

/** Where the certificate and its keys are kept. */
export interface AcmeFiles {
  readonly folder: string;
  readonly certificate: string;
  readonly privateKey: string;
  readonly accountKey: string;
}

export function acmeFiles(config: Pick<AcmeConfig, 'folder'>): AcmeFiles {
  const file = (name: string) => join(config.folder, name);
  return {
    folder: config.folder,
    certificate: file('certificate.pem'),
    privateKey: file('key.pem'),
    accountKey: file('account-key.pem'),
  };
}

/** Whether there is no usable certificate for these names, or little of its life is left. */
export async function isDue(config: AcmeConfig, nowMs: number): Promise<boolean> {
  const pem = await readIfThere(acmeFiles(config).certificate);
  if (pem === undefined) return true;
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return true;
  }
  if (config.names.some((name) => certificate.checkHost(name) === undefined)) return true;
  const [from, to] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  return to - nowMs < (to - from) * RENEW_AT;
}

/**
 * Orders a certificate and puts it into its files, key first: whoever watches them reads the pair
 * when the certificate changes. Rejects with what the authority says.
 */
export async function orderCertificate(config: AcmeConfig): Promise<void> {
  const { Client, crypto } = await import('acme-client');
  const files = acmeFiles(config);
  await mkdir(files.folder, { recursive: true, mode: 0o700 });
  const accountKey =
    (await readIfThere(files.accountKey)) ?? (await crypto.createPrivateEcdsaKey());
  await writeSecretFile(files.accountKey, String(accountKey));
  const [key, csr] = await crypto.createCsr(
    { commonName: config.names[0]!, altNames: [...config.names] },
    await crypto.createPrivateEcdsaKey(),
  );
  const server = await startChallengeServer(config.httpHost, config.httpPort);
  try {
    const client = new Client({
      directoryUrl: config.directoryUrl,
      accountKey,
      backoffMin: POLL_MS_MIN,
      backoffMax: POLL_MS_MAX,
      backoffAttempts: POLLS_MAX,
    });
    const certificate = await client.auto({
      csr,
      ...(config.email === undefined ? {} : { email: config.email }),
      termsOfServiceAgreed: config.acceptTerms,
      challengePriority: ['http-01'],
      // The authority looks from outside; from inside the name may lead elsewhere.
      skipChallengeVerification: true,
      challengeCreateFn: async (_authorization, { token }, answer) => server.answer(token, answer),
      challengeRemoveFn: async () => {},
    });
    await writeSecretFile(files.privateKey, String(key));
    await writeSecretFile(files.certificate, certificate);
  } finally {
    await server.close();
  }
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
