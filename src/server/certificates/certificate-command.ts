import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { namesOf } from '../../transport/certificate-facts.js';
import { ExitCode, StartError } from '../exit-code.js';
import { readSecretFile, writeSecretFile } from '../passwd/secret-file.js';
import { type Authority, issueCertificate } from './authority.js';

/** Browsers take no certificate that lives longer. */
export const SERVER_DAYS = 397;
const CLIENT_DAYS = 3650;
const DAYS_MAX = 36_500;
/** What X.509 gives a Common Name; it becomes the name of two files as well. */
const CLIENT_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}$/;
const TAKEN = ['ca', 'server'];

/**
 * A new certificate for the broker with the names of the old one, from the authority that
 * `dunlin init` made in this folder. A running broker takes it by itself. Gives the sentences to
 * print; rejects with a `StartError`.
 */
export async function renewServer(folder: string, nowMs: number): Promise<string[]> {
  const authority = await authorityOf(folder);
  const file = join(folder, 'tls', 'server.pem');
  const old = new X509Certificate(await existing(file));
  const { certificate, privateKey } = await issueCertificate(authority, {
    commonName: /^CN=(.*)$/m.exec(old.subject)?.[1] ?? 'broker',
    names: namesOf(old.subjectAltName ?? ''),
    usage: 'server',
    days: SERVER_DAYS,
    nowMs,
  });
  const keyFile = join(folder, 'tls', 'server-key.pem');
  await writeSecretFile(keyFile, privateKey);
  await writeSecretFile(file, certificate);
  const { validTo } = new X509Certificate(certificate);
  return [
    `${file} and ${keyFile} are new, until ${validTo}; a running broker takes them by itself`,
  ];
}

/** A certificate by which one client shows its name; two new files in the folder `tls`. */
export async function issueClient(
  folder: string,
  name: string,
  daysText: string | undefined,
  nowMs: number,
): Promise<string[]> {
  const days = daysText === undefined ? CLIENT_DAYS : Number(daysText);
  const faults = [];
  if (!CLIENT_NAME.test(name) || TAKEN.includes(name)) {
    faults.push(`"${name}" cannot name a certificate: expected letters, digits and . _ - @`);
  }
  if (!Number.isInteger(days) || days < 1 || days > DAYS_MAX) {
    faults.push(`--days: expected a whole number from 1 to ${DAYS_MAX}, not "${daysText}"`);
  }
  if (faults.length > 0) throw new StartError(ExitCode.Usage, faults);
  const authority = await authorityOf(folder);
  const { certificate, privateKey } = await issueCertificate(authority, {
    commonName: name,
    names: [],
    usage: 'client',
    days,
    nowMs,
  });
  const file = join(folder, 'tls', `${name}.pem`);
  const keyFile = join(folder, 'tls', `${name}-key.pem`);
  await writeNew(keyFile, privateKey);
  await writeNew(file, certificate);
  return [
    `${file} and ${keyFile} are for the client ${name}`,
    `the listener lets it in by tls: { ca: ${join(folder, 'tls', 'ca.pem')}, ` +
      'client_certificate: optional, user_name_from: cn }',
  ];
}

async function authorityOf(folder: string): Promise<Authority> {
  return {
    certificate: await existing(join(folder, 'tls', 'ca.pem')),
    privateKey: await existing(join(folder, 'tls', 'ca-key.pem')),
  };
}

async function existing(file: string): Promise<string> {
  const text = await readSecretFile(file);
  if (text !== undefined) return text;
  throw new StartError(ExitCode.Failure, [
    `${file} is not there: name the folder in which "dunlin init" has made an authority`,
  ]);
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    const sentence = isThere
      ? `${file} is there already: choose another name, or move it away`
      : `${file} cannot be written: ${(error as Error).message}`;
    throw new StartError(ExitCode.Failure, [sentence], error);
  }
}
