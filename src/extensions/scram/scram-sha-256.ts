import { randomBytes, timingSafeEqual } from 'node:crypto';
import { utf8Bytes } from '../../base/utf8.js';
import type {
  AuthenticationExchange,
  AuthenticationMethod,
  AuthenticationStep,
} from '../../broker/authentication.js';
import type { Decision } from '../../session/host.js';
import { ReasonCode } from '../../wire/reason-code.js';
import {
  type ClientFirst,
  MalformedMessage,
  parseClientFinal,
  parseClientFirst,
} from './client-messages.js';
import {
  hash,
  hmac,
  ITERATIONS_DEFAULT,
  KEY_BYTES,
  SALT_BYTES,
  type ScramCredentials,
} from './credentials.js';

export interface ScramOptions {
  /**
   * What is stored for a user, or undefined where there is none. It should take equally long for
   * both. The name is decoded and in NFKC.
   */
  credentials(userName: string): Decision<ScramCredentials | undefined>;
  /** Unpredictable bytes; the system's by default. */
  random?(bytes: number): Uint8Array;
  /**
   * Makes up what unknown users are told, so that they look like known ones. By chance by default;
   * give the same one at every start, or a restart tells them apart.
   */
  readonly secret?: Uint8Array;
  /** What unknown users are told: the iterations that the stored credentials have. */
  readonly iterations?: number;
}

/** About 196 random bits in printable characters. */
const NONCE_BYTES = 30;
const SECRET_BYTES = 32;
const FIRST_PRINTABLE = 0x21;
const PRINTABLE_COUNT = 93;
const COMMA = 0x2c;
/** One sentence for an unknown user and for a wrong password. */
const WRONG = 'the user name or the password is wrong';

/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677) as an Authentication Method of MQTT 5.0:
 *
 *     CONNECT        client-first-message
 *     AUTH 0x18                              server-first-message
 *     AUTH 0x18      client-final-message
 *     CONNACK                                server-final-message
 *
 * Re-authentication is the same, beginning with AUTH 0x19 and ending with AUTH 0x00. There is no
 * channel binding: use it over TLS where others may listen or change bytes. Clients that name no
 * method do not meet it; an `authenticate` hook decides about those.
 */
export function scramSha256(options: ScramOptions): AuthenticationMethod {
  const random = options.random ?? randomBytes;
  const unknown = new UnknownUsers(options.secret ?? random(SECRET_BYTES), options.iterations);
  return {
    name: 'SCRAM-SHA-256',
    begin: () => new ScramExchange(options, random, unknown),
  };
}

/** Credentials of users that do not exist: the same at each attempt, and no password fits. */
class UnknownUsers {
  readonly #secret: Uint8Array;
  readonly #iterations: number;

  constructor(secret: Uint8Array, iterations: number = ITERATIONS_DEFAULT) {
    this.#secret = secret;
    this.#iterations = iterations;
  }

  credentials(userName: string): ScramCredentials {
    return {
      salt: hmac(this.#secret, `salt ${userName}`).subarray(0, SALT_BYTES),
      iterations: this.#iterations,
      storedKey: hmac(this.#secret, `stored key ${userName}`),
      serverKey: hmac(this.#secret, `server key ${userName}`),
    };
  }
}

interface Challenged {
  readonly first: ClientFirst;
  readonly nonce: string;
  readonly serverFirst: string;
  readonly credentials: ScramCredentials;
  readonly isKnown: boolean;
}

class ScramExchange implements AuthenticationExchange {
  readonly #options: ScramOptions;
  readonly #random: (bytes: number) => Uint8Array;
  readonly #unknown: UnknownUsers;
  #challenged: Challenged | undefined = undefined;

  constructor(options: ScramOptions, random: (bytes: number) => Uint8Array, unknown: UnknownUsers) {
    this.#options = options;
    this.#random = random;
    this.#unknown = unknown;
  }

  step(data: Uint8Array | undefined): Decision<AuthenticationStep> {
    return this.#challenged === undefined ? this.#first(data) : this.#final(data, this.#challenged);
  }

  #first(data: Uint8Array | undefined): Decision<AuthenticationStep> {
    const first = parseClientFirst(data);
    if (first instanceof MalformedMessage) return refusal(first.sentence);
    // Made in any case: an unknown user must not be quicker.
    const madeUp = this.#unknown.credentials(first.userName);
    const found = this.#options.credentials(first.userName);
    return found instanceof Promise
      ? found.then((credentials) => this.#challenge(first, credentials, madeUp))
      : this.#challenge(first, found, madeUp);
  }

  #challenge(
    first: ClientFirst,
    found: ScramCredentials | undefined,
    madeUp: ScramCredentials,
  ): AuthenticationStep {
    const credentials = found ?? madeUp;
    const nonce = first.nonce + printable(this.#random(NONCE_BYTES));
    const serverFirst = `r=${nonce},s=${base64(credentials.salt)},i=${credentials.iterations}`;
    const isKnown = found !== undefined;
    this.#challenged = { first, nonce, serverFirst, credentials, isKnown };
    return { kind: 'challenge', data: utf8Bytes(serverFirst) };
  }

  #final(data: Uint8Array | undefined, challenged: Challenged): AuthenticationStep {
    const { first, nonce, serverFirst, credentials, isKnown } = challenged;
    const final = parseClientFinal(data);
    if (final instanceof MalformedMessage) return refusal(final.sentence);
    if (final.channelBinding !== base64(utf8Bytes(first.gs2Header))) {
      return refusal('the SCRAM messages differ in their channel binding');
    }
    if (final.nonce !== nonce) return refusal('the SCRAM nonce is not the one of this exchange');
    const authMessage = `${first.bare},${serverFirst},${final.withoutProof}`;
    const isProven = proves(final.proof, credentials.storedKey, authMessage);
    if (!isProven || !isKnown) return refusal(WRONG, first.userName);
    const signature = hmac(credentials.serverKey, authMessage);
    const { userName } = first;
    return { kind: 'success', data: utf8Bytes(`v=${base64(signature)}`), userName };
  }
}

/** ClientProof is ClientKey xor ClientSignature, and StoredKey the hash of ClientKey. */
function proves(proof: Uint8Array, storedKey: Uint8Array, authMessage: string): boolean {
  if (proof.length !== KEY_BYTES || storedKey.length !== KEY_BYTES) return false;
  const signature = hmac(storedKey, authMessage);
  const clientKey = proof.map((byte, i) => byte ^ signature[i]!);
  return timingSafeEqual(hash(clientKey), storedKey);
}

function refusal(sentence: string, userName?: string): AuthenticationStep {
  const step = { kind: 'refusal', reasonCode: ReasonCode.NotAuthorized, sentence } as const;
  return userName === undefined ? step : { ...step, userName };
}

/** A character for each byte: those from `!` to `~` but the comma, which ends a nonce. */
function printable(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const code = FIRST_PRINTABLE + (byte % PRINTABLE_COUNT);
    text += String.fromCharCode(code < COMMA ? code : code + 1);
  }
  return text;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
