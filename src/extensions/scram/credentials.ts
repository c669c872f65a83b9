import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { prepareText } from '../../base/prepare-text.js';

/**
 * What the server keeps of a user: it proves the password, and the password cannot be read from it.
 */
export interface ScramCredentials {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

export interface ScramCredentialOptions {
  /** 16 bytes by chance by default. */
  readonly salt?: Uint8Array;
  /**
   * How often the client must hash to log in, 4096 and up. Devices with small processors feel it.
   */
  readonly iterations?: number;
}

/**
 * RFC 7677 asks for 4096 at least and leaves room above; a small device still logs in within
 * seconds.
 */
export const ITERATIONS_DEFAULT = 10_000;
export const ITERATIONS_MIN = 4096;
export const SALT_BYTES = 16;
export const KEY_BYTES = 32;

const derive = promisify(pbkdf2);

/**
 * Makes the credentials to store for a password, away from the event loop. Throws when the password
 * has characters that no password may have.
 */
export async function scramCredentials(
  password: string,
  options: ScramCredentialOptions = {},
): Promise<ScramCredentials> {
  const { salt = randomBytes(SALT_BYTES), iterations = ITERATIONS_DEFAULT } = options;
  if (!Number.isInteger(iterations) || iterations < ITERATIONS_MIN) {
    throw new RangeError(`SCRAM needs ${ITERATIONS_MIN} iterations or more, not ${iterations}`);
  }
  const prepared = prepareText(password);
  if (prepared === undefined) {
    throw new RangeError('a password has one character or more, and no control characters');
  }
  const saltedPassword = await derive(prepared, salt, iterations, KEY_BYTES, 'sha256');
  const clientKey = hmac(saltedPassword, 'Client Key');
  return {
    salt: new Uint8Array(salt),
    iterations,
    storedKey: hash(clientKey),
    serverKey: hmac(saltedPassword, 'Server Key'),
  };
}

export function hmac(key: Uint8Array, data: string): Uint8Array {
  return new Uint8Array(createHmac('sha256', key).update(data, 'utf8').digest());
}

export function hash(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(bytes).digest());
}
