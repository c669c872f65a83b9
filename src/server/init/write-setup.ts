import { access, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { hashPassword } from '../../extensions/authentication/password-hash.js';
import { createAuthority, issueCertificate } from '../certificates/authority.js';
import { SERVER_DAYS } from '../certificates/certificate-command.js';
import { ExitCode, StartError } from '../exit-code.js';
import { listenersOf, type SetupPlan } from './plan.js';
import { newPassword } from './words.js';

export interface WrittenSetup {
  readonly configFile: string;
  readonly password: string;
  /** What devices and browsers have to trust; only with an authority of its own. */
  readonly authorityFile: string | undefined;
}

const AUTHORITY_DAYS = 3650;

/**
 * Makes user, certificates and configuration, whose paths are whole, so that the broker may be
 * started from any folder; rejects with a `StartError` and overwrites nothing
 * when something is there already.
 */
export async function writeSetup(wanted: SetupPlan): Promise<WrittenSetup> {
  const plan = { ...wanted, folder: resolve(wanted.folder) };
  const password = newPassword();
  const files = new NewFiles(plan.folder);
  const hash = await hashPassword(password);
  files.add('passwords', `${plan.userName}:${hash}\n`);
  const tls = await tlsOf(plan, files);
  files.add('dunlin.yaml', configText(plan, tls));
  await files.write();
  return {
    configFile: join(plan.folder, 'dunlin.yaml'),
    password,
    authorityFile: plan.certificates === 'local' ? join(plan.folder, 'tls/ca.pem') : undefined,
  };
}

async function tlsOf(plan: SetupPlan, files: NewFiles): Promise<object | undefined> {
  if (plan.certificates === 'none') return undefined;
  if (plan.certificates === 'acme') {
    const folder = join(plan.folder, 'acme');
    return { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') };
  }
  const nowMs = Date.now();
  const authority = await createAuthority({
    commonName: `Dunlin authority of ${plan.names[0]!}`,
    days: AUTHORITY_DAYS,
    nowMs,
  });
  const server = await issueCertificate(authority, {
    commonName: plan.names[0]!,
    names: plan.names,
    usage: 'server',
    days: SERVER_DAYS,
    nowMs,
  });
  files.add('tls/ca.pem', authority.certificate);
  files.add('tls/ca-key.pem', authority.privateKey);
  files.add('tls/server.pem', server.certificate);
  files.add('tls/server-key.pem', server.privateKey);
  return {
    certificate: join(plan.folder, 'tls/server.pem'),
    key: join(plan.folder, 'tls/server-key.pem'),
  };
}

function configText(plan: SetupPlan, tls: object | undefined): string {
  const config = {
    listen: listenersOf(plan, tls),
    data: join(plan.folder, 'data'),
    authentication: { password_file: join(plan.folder, 'passwords') },
    ...(plan.mdns ? { mdns_name: 'Dunlin' } : {}),
    ...(plan.certificates === 'acme'
      ? {
          acme: {
            names: plan.names,
            ...(plan.email === undefined ? {} : { email: plan.email }),
            accept_terms: true,
            folder: join(plan.folder, 'acme'),
          },
        }
      : {}),
  };
  const hint = '# yaml-language-server: $schema=node_modules/dunlin/docs/config.schema.json\n';
  return `${hint}# Every key is explained in docs/configuration.md; \`dunlin check\` reads it over.\n${stringify(config)}`;
}

/** Files that are written only when none of them is there yet. */
class NewFiles {
  readonly #folder: string;
  readonly #files: (readonly [path: string, text: string])[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  add(name: string, text: string): void {
    this.#files.push([join(this.#folder, name), text]);
  }

  async write(): Promise<void> {
    const taken = (await Promise.all(this.#files.map(([path]) => isThere(path)))).flat();
    if (taken.length > 0) throw alreadyThere(taken);
    for (const [path, text] of this.#files) {
      await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
      await writeFile(path, text, { flag: 'wx', mode: 0o600 });
    }
  }
}

async function isThere(path: string): Promise<string[]> {
  return access(path).then(
    () => [path],
    () => [],
  );
}

function alreadyThere(paths: readonly string[]): StartError {
  return new StartError(ExitCode.Failure, [
    `${paths.join(', ')}: there already, and nothing was written: choose another folder, ` +
      'or move them away',
  ]);
}
