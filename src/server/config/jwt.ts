import { oneOf, path, seconds, secret, text, yesOrNo } from './values.js';
import { type Entry, key, list, optional, required, section } from './vocabulary.js';

export const jwtAlgorithms = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;
export type JwtAlgorithm = (typeof jwtAlgorithms)[number];

export interface JwtConfig {
  readonly algorithms: readonly JwtAlgorithm[];
  readonly secret: string | undefined;
  readonly publicKey: string | undefined;
  readonly jwks: string | undefined;
  readonly issuer: readonly string[] | undefined;
  readonly audience: readonly string[] | undefined;
  readonly clockToleranceSeconds: number;
  readonly requiredClaims: readonly string[];
  readonly requireExpiry: boolean;
  readonly userNameClaim: string;
  readonly groupsClaim: string;
  readonly clientIdentifierClaim: string | undefined;
  readonly cookie: string | undefined;
}

export const jwt: Entry<JwtConfig> = section<JwtConfig>({
  algorithms: required(
    list(oneOf(...jwtAlgorithms)),
    'Signature algorithms that are accepted, and no others.',
  ),
  secret: optional(
    secret('a secret of 32 bytes or more'),
    'none',
    'Secret of HMAC signatures (`HS256` and so on).',
  ),
  publicKey: optional(
    path('a file'),
    'none',
    'Public key or certificate of the other signatures, in PEM.',
  ),
  jwks: optional(
    text('a URL or a file'),
    'none',
    'A JWK Set with public keys: a file, or a URL that is asked again when a key is unknown.',
  ),
  issuer: optional(list(text('an issuer')), 'any', 'Values of `iss` that are accepted.'),
  audience: optional(
    list(text('an audience')),
    'any',
    'Values of `aud` of which a token must have one.',
  ),
  clockToleranceSeconds: key(
    seconds(0, 600),
    5,
    'How far the clocks of issuer and broker may differ.',
  ),
  requiredClaims: key(
    list(text('the name of a claim'), { emptyToo: true }),
    [],
    'Further claims that a token must have.',
  ),
  requireExpiry: key(yesOrNo(), true, 'Whether a token must have `exp`.'),
  userNameClaim: key(text('the name of a claim'), 'sub', 'The claim that becomes the user name.'),
  groupsClaim: key(
    text('the name of a claim'),
    'groups',
    'The claim with the groups: a list, or words separated by blanks.',
  ),
  clientIdentifierClaim: optional(
    text('the name of a claim'),
    'not looked at',
    'A claim that must be the Client Identifier, or a list with it.',
  ),
  cookie: optional(
    text('the name of a cookie'),
    'none',
    'A cookie of WebSocket clients that may hold the token; set `origins` as well.',
  ),
});
