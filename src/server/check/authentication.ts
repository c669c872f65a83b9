import { stat } from 'node:fs/promises';
import type { User } from '../../extensions/authentication/password-file.js';
import { readUsers } from '../authentication/users.js';
import type { AuthenticationConfig } from '../config/authentication.js';
import { judgeMethods } from '../config/doors.js';
import type { JwtConfig } from '../config/jwt.js';
import type { Config } from '../config.js';
import type { Finding } from './finding.js';

const OTHERS_READ = 0o004;
/** Fewer iterations of PBKDF2 than this are guessed quickly by whoever has the file. */
const ITERATIONS_MIN = 100_000;
const PLACE = 'authentication';

/** Password file, users and token keys: all that would keep clients out, or let guessers in. */
export async function checkAuthentication(config: Config): Promise<readonly Finding[]> {
  const { authentication } = config;
  const { users, faults } = await readUsers(authentication);
  const jwtFaults = authentication.jwt === undefined ? [] : await keyFaults(authentication.jwt);
  return [
    ...[...judgeMethods(config), ...faults, ...jwtFaults].map(errorOf),
    ...(await fileWarnings(authentication, users.length + faults.length)),
    ...hashWarnings(users),
    ...jwtWarnings(authentication),
    ...callOutWarnings(authentication),
  ];
}

async function keyFaults(jwt: JwtConfig): Promise<readonly string[]> {
  const { readJwtKeys } = await import('../../extensions/authentication/jwt-keys.js');
  const keys = await readJwtKeys(jwt);
  return typeof keys === 'function' ? [] : keys;
}

/** A sentence of the start begins with its place. */
function errorOf(sentence: string): Finding {
  const end = sentence.indexOf(': ');
  return {
    severity: 'error',
    place: sentence.slice(0, end),
    sentence: sentence.slice(end + 2),
  };
}

function warning(place: string, sentence: string): Finding {
  return { severity: 'warning', place, sentence };
}

async function fileWarnings(
  { passwordFile }: AuthenticationConfig,
  lines: number,
): Promise<readonly Finding[]> {
  if (passwordFile === undefined) return [];
  const found = await stat(passwordFile).catch(() => undefined);
  if (found === undefined) return [];
  const warnings = [];
  if ((found.mode & OTHERS_READ) !== 0) {
    const advice = `every user of this machine can read its hashes: chmod 640 ${passwordFile}`;
    warnings.push(warning(passwordFile, advice));
  }
  if (lines === 0) {
    const advice = `there is no user in it: "dunlin passwd ${passwordFile} NAME" adds one`;
    warnings.push(warning(passwordFile, advice));
  }
  return warnings;
}

function hashWarnings(users: readonly User[]): readonly Finding[] {
  const weak = users.filter(
    ({ hash }) =>
      hash.kind === 'sha512' || (hash.kind === 'pbkdf2-sha512' && hash.iterations < ITERATIONS_MIN),
  );
  if (weak.length === 0) return [];
  const names = weak.slice(0, 3).map(({ name }) => name);
  const more = weak.length > names.length ? ` and ${weak.length - names.length} more` : '';
  const sentence =
    `the hashes of ${names.join(', ')}${more} are of the quick kind that mosquitto_passwd makes: ` +
    'whoever gets hold of them can guess fast; set the passwords anew with "dunlin passwd"';
  return [warning(PLACE, sentence)];
}

function jwtWarnings({ jwt }: AuthenticationConfig): readonly Finding[] {
  if (jwt === undefined) return [];
  const isShared = jwt.publicKey !== undefined || jwt.jwks !== undefined;
  const warnings = [];
  if (isShared && jwt.audience === undefined) {
    const sentence =
      'there is none: tokens that the issuer made for another service work here, too';
    warnings.push(warning(`${PLACE}.jwt.audience`, sentence));
  }
  if (!jwt.requireExpiry) {
    const sentence = 'tokens without an end work for ever: there is no way to take one back';
    warnings.push(warning(`${PLACE}.jwt.require_expiry`, sentence));
  }
  return warnings;
}

/** Whether what is asked there crosses a network without TLS. */
export function isInClear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol !== 'https:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}

function callOutWarnings({ http }: AuthenticationConfig): readonly Finding[] {
  if (http === undefined || !isInClear(http.url)) return [];
  return [
    warning(`${PLACE}.http.url`, 'passwords cross the network in clear text here: use https://'),
  ];
}
