import {
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  type JWTVerifyOptions,
  jwtVerify,
} from 'jose';
import type { Clock } from '../../base/clock.js';
import type { Identity } from '../../broker/hooks.js';
import { JWT, TOKEN_BYTES_MAX } from './jwt-shape.js';
import { identityOf } from './login-method.js';
import { judgeGroupName, judgeUserName } from './password-file.js';
import { KeysUnavailable } from './remote-key-set.js';
import { topicPermissions } from './topic-permissions.js';

export interface JwtSettings {
  readonly algorithms: readonly string[];
  readonly issuer: readonly string[] | undefined;
  readonly audience: readonly string[] | undefined;
  readonly clockToleranceSeconds: number;
  readonly requiredClaims: readonly string[];
  readonly requireExpiry: boolean;
  readonly userNameClaim: string;
  readonly groupsClaim: string;
  readonly clientIdentifierClaim: string | undefined;
}

/** Why a token is not taken. */
export interface TokenFault {
  readonly sentence: string;
  /** The keys could not be fetched: the token may be right. */
  readonly isOurs: boolean;
}

const SHAPE = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/;
const CANDIDATES_MAX = 10;

/** Verifies JSON Web Tokens (RFC 7519) by the broker's clock. */
export class JwtVerifier {
  readonly #settings: JwtSettings;
  readonly #keys: JWTVerifyGetKey;
  readonly #clock: Clock;

  constructor(settings: JwtSettings, keys: JWTVerifyGetKey, clock: Clock) {
    this.#settings = settings;
    this.#keys = keys;
    this.#clock = clock;
  }

  async verify(token: string, clientIdentifier: string): Promise<Identity | TokenFault> {
    if (token.length > TOKEN_BYTES_MAX) return fault('the token is too long');
    if (!SHAPE.test(token)) return fault('the token is not valid');
    try {
      return this.#identity(await this.#claims(token), clientIdentifier);
    } catch (error) {
      return faultOf(error);
    }
  }

  async #claims(token: string): Promise<JWTPayload> {
    const options = this.#options();
    try {
      return (await jwtVerify(token, this.#keys, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // A token without a key identifier, and a set with several keys that might be it.
      let tried = 0;
      for await (const key of error) {
        if (tried++ === CANDIDATES_MAX) break;
        const result = await jwtVerify(token, key, options).catch((wrong: unknown) => {
          if (wrong instanceof errors.JWSSignatureVerificationFailed) return undefined;
          throw wrong;
        });
        if (result !== undefined) return result.payload;
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  }

  #options(): JWTVerifyOptions {
    const { algorithms, issuer, audience, requiredClaims, requireExpiry } = this.#settings;
    return {
      algorithms: algorithms.flatMap((name) => (name === 'EdDSA' ? [name, 'Ed25519'] : [name])),
      requiredClaims: [...requiredClaims, ...(requireExpiry ? ['exp'] : [])],
      clockTolerance: this.#settings.clockToleranceSeconds,
      currentDate: new Date(this.#clock.wallMs()),
      ...(issuer !== undefined && { issuer: [...issuer] }),
      ...(audience !== undefined && { audience: [...audience] }),
    };
  }

  #identity(claims: JWTPayload, clientIdentifier: string): Identity | TokenFault {
    const { userNameClaim, groupsClaim, clientIdentifierClaim } = this.#settings;
    const userName = claims[userNameClaim];
    if (typeof userName !== 'string' || judgeUserName(userName.replaceAll(':', '')) !== undefined) {
      return fault(`the token names no user (${userNameClaim})`);
    }
    if (clientIdentifierClaim !== undefined) {
      const allowed = [claims[clientIdentifierClaim]].flat();
      if (!allowed.includes(clientIdentifier)) {
        return fault(`the token is for another Client Identifier (${clientIdentifierClaim})`);
      }
    }
    const groups = groupsOf(claims[groupsClaim]);
    if (groups === undefined)
      return fault(`the groups of the token are malformed (${groupsClaim})`);
    const permissions = topicPermissions(claims);
    if (typeof permissions === 'string') return fault(`the token is not valid: ${permissions}`);
    const { exp } = claims;
    const toleranceMs = this.#settings.clockToleranceSeconds * 1000;
    const expiresAtMs = exp === undefined ? undefined : exp * 1000 + toleranceMs;
    return identityOf(JWT, userName, { groups, claims, permissions, expiresAtMs });
  }
}

function groupsOf(written: unknown): readonly string[] | undefined {
  if (written === undefined || written === null) return [];
  const words = typeof written === 'string' ? written.split(' ').filter(Boolean) : written;
  if (!Array.isArray(words)) return undefined;
  const areNames = words.every(
    (word) =>
      typeof word === 'string' && judgeGroupName(word.replaceAll(/[:,#]/g, '_')) === undefined,
  );
  return areNames ? (words as string[]) : undefined;
}

function fault(sentence: string): TokenFault {
  return { sentence, isOurs: false };
}

function faultOf(error: unknown): TokenFault {
  if (error instanceof errors.JWTExpired) return fault('the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = error;
    if (reason === 'missing') return fault(`the token has no ${claim}`);
    if (claim === 'aud') return fault('the token is not meant for this broker (aud)');
    if (claim === 'iss') return fault('the token is not from an issuer that is accepted (iss)');
    if (claim === 'nbf') return fault('the token is not valid yet (nbf)');
    return fault(`the token is not valid (${claim})`);
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return fault('the signature algorithm of the token is not accepted');
  }
  if (error instanceof KeysUnavailable) {
    return { sentence: 'the keys to verify tokens cannot be had at the moment', isOurs: true };
  }
  // Keys that do not fit the algorithm are a `TypeError`.
  if (!(error instanceof errors.JOSEError) && !(error instanceof TypeError)) throw error;
  return fault('the token is not valid');
}
