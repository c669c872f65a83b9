import { createHash, createHmac, pbkdf2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { prepareText } from '../../base/prepare-text.js';
import { isUtf8, utf8Text } from '../../base/utf8.js';

/** How a password is kept: what `verifyPassword` needs to try one. */
export type PasswordHash =
  | {
      readonly kind: 'scrypt';
      readonly cost: number;
      readonly blockSize: number;
      readonly parallelization: number;
      readonly salt: Uint8Array;
      readonly key: Uint8Array;
    }
  | {
      readonly kind: 'pbkdf2-sha512';
      readonly iterations: number;
      readonly salt: Uint8Array;
      readonly key: Uint8Array;
    }
  | { readonly kind: 'sha512'; readonly salt: Uint8Array; readonly key: Uint8Array }
  | ({ readonly kind: 'scram-sha-256' } & ScramKeys);

/** The same as `ScramCredentials` of the SCRAM extension. */
export interface ScramKeys {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** 16 MiB and some 50 ms of a processor: a small board lets a household in as well. */
export const SCRYPT_COST_LOG2 = 14;
const SCRYPT_BLOCK_SIZE = 8;
const SCRYPT_MEMORY_MAX = 256 * 1024 * 1024;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
const KEY_BYTES_MIN = 16;
const KEY_BYTES_MAX = 128;
const ITERATIONS_MAX = 10_000_000;

const FORMS = 'it begins with $scrypt$, $scram-sha-256$, or, from Mosquitto, $7$ or $6$';

const derive = promisify(pbkdf2);
const deriveScrypt: (
  password: Uint8Array,
  salt: Uint8Array,
  bytes: number,
  options: { N: number; r: number; p: number; maxmem: number },
) => Promise<Buffer> = promisify(scrypt);

/** The hash that a text stands for, or a sentence that says what is wrong with it. */
export function parsePasswordHash(text: string): PasswordHash | string {
  const [before, scheme, ...fields] = text.split('$');
  if (before !== '' || fields.length === 0) {
    return `this is no password hash: ${FORMS}; a plain password is never taken`;
  }
  switch (scheme) {
    case 'scrypt':
      return parseScrypt(fields);
    case 'scram-sha-256':
      return parseScram(fields);
    case '7':
      return parsePbkdf2(fields);
    case '6':
      return parseSha512(fields);
    case 'argon2id':
      return 'Argon2id hashes are not known here: set the password anew with "dunlin passwd"';
    default:
      return `$${scheme}$ is no password hash known here: ${FORMS}`;
  }
}

export async function verifyPassword(hash: PasswordHash, password: Uint8Array): Promise<boolean> {
  switch (hash.kind) {
    case 'scrypt':
      return isEqual(await scryptKey(hash, password, hash.key.length), hash.key);
    case 'pbkdf2-sha512': {
      const { salt, iterations, key } = hash;
      return isEqual(await derive(password, salt, iterations, key.length, 'sha512'), key);
    }
    case 'sha512':
      return isEqual(createHash('sha512').update(password).update(hash.salt).digest(), hash.key);
    case 'scram-sha-256':
      return isEqual(await storedKeyOf(hash, password), hash.storedKey);
  }
}

/** A new entry for a password file, in the PHC string format. */
export async function hashPassword(
  password: string,
  costLog2: number = SCRYPT_COST_LOG2,
): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const cost = 2 ** costLog2;
  const how = { cost, blockSize: SCRYPT_BLOCK_SIZE, parallelization: 1, salt };
  const key = await scryptKey(how, Buffer.from(password), KEY_BYTES);
  const settings = `ln=${costLog2},r=${SCRYPT_BLOCK_SIZE},p=1`;
  return `$scrypt$${settings}$${unpadded(salt)}$${unpadded(key)}`;
}

/** The same for SCRAM keys, by which plain passwords can be tried as well. */
export function scramHash(keys: ScramKeys): string {
  const [salt, stored, server] = [keys.salt, keys.storedKey, keys.serverKey].map(unpadded);
  return `$scram-sha-256$i=${keys.iterations}$${salt}$${stored}$${server}`;
}

function parseScrypt([settings = '', salt64 = '', key64 = '']: string[]): PasswordHash | string {
  const [, ln, r, p] = /^ln=(\d{1,2}),r=(\d{1,4}),p=(\d{1,3})$/.exec(settings) ?? [];
  const [costLog2, blockSize, parallelization] = [Number(ln), Number(r), Number(p)];
  const [salt, key] = [bytesOf(salt64), keyOf(key64)];
  if (ln === undefined || salt === undefined || key === undefined) {
    return 'this $scrypt$ hash is malformed: $scrypt$ln=14,r=8,p=1$salt$hash is expected';
  }
  const isPossible = costLog2 > 0 && blockSize > 0 && parallelization > 0;
  if (!isPossible || 128 * blockSize * (2 ** costLog2 + parallelization) > SCRYPT_MEMORY_MAX) {
    return `scrypt with ${settings} needs more than ${SCRYPT_MEMORY_MAX / 2 ** 20} MiB or has a 0`;
  }
  return { kind: 'scrypt', cost: 2 ** costLog2, blockSize, parallelization, salt, key };
}

function parseScram([count = '', ...keys64]: string[]): PasswordHash | string {
  const iterations = iterationsOf(/^i=(\d+)$/.exec(count)?.[1]);
  const [salt, storedKey, serverKey] = keys64.map(bytesOf);
  const isWhole = storedKey?.length === KEY_BYTES && serverKey?.length === KEY_BYTES;
  if (iterations === undefined || salt === undefined || !isWhole || keys64.length !== 3) {
    return 'these $scram-sha-256$ keys are malformed: make them with "dunlin passwd --scram"';
  }
  return { kind: 'scram-sha-256', iterations, salt, storedKey, serverKey };
}

/** As `mosquitto_passwd` writes them: PBKDF2 with HMAC-SHA512. */
function parsePbkdf2([count = '', salt64 = '', key64 = '']: string[]): PasswordHash | string {
  const iterations = iterationsOf(/^\d+$/.exec(count)?.[0]);
  const [salt, key] = [bytesOf(salt64), keyOf(key64)];
  if (iterations === undefined || salt === undefined || key === undefined) {
    return 'this $7$ hash is malformed: $7$iterations$salt$hash is expected';
  }
  return { kind: 'pbkdf2-sha512', iterations, salt, key };
}

/** As `mosquitto_passwd` wrote them up to version 1.6: one SHA-512 of password and salt. */
function parseSha512([salt64 = '', key64 = '']: string[]): PasswordHash | string {
  const [salt, key] = [bytesOf(salt64), keyOf(key64)];
  if (salt === undefined || key?.length !== 64) {
    return 'this $6$ hash is malformed: $6$salt$hash as mosquitto_passwd writes it is expected';
  }
  return { kind: 'sha512', salt, key };
}

function iterationsOf(digits: string | undefined): number | undefined {
  const iterations = Number(digits);
  return iterations >= 1 && iterations <= ITERATIONS_MAX ? iterations : undefined;
}

function scryptKey(
  how: Pick<PasswordHash & { kind: 'scrypt' }, 'cost' | 'blockSize' | 'parallelization' | 'salt'>,
  password: Uint8Array,
  bytes: number,
): Promise<Buffer> {
  const { cost: N, blockSize: r, parallelization: p, salt } = how;
  return deriveScrypt(password, salt, bytes, { N, r, p, maxmem: 2 * SCRYPT_MEMORY_MAX });
}

async function storedKeyOf(keys: ScramKeys, password: Uint8Array): Promise<Uint8Array> {
  const text = isUtf8(password, 0, password.length) ? utf8Text(password, 0, password.length) : '';
  // What may be no password is hashed like one, and fits none.
  const prepared = prepareText(text) ?? '';
  const salted = await derive(prepared, keys.salt, keys.iterations, KEY_BYTES, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  return createHash('sha256').update(clientKey).digest();
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function keyOf(text: string): Uint8Array | undefined {
  const key = bytesOf(text);
  const length = key?.length ?? 0;
  return length >= KEY_BYTES_MIN && length <= KEY_BYTES_MAX ? key : undefined;
}

/** Base64 with padding or without; undefined when it is none, or empty. */
function bytesOf(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 0 ? undefined : new Uint8Array(bytes);
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}
