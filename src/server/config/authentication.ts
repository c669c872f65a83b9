import { count, httpUrl, oneOf, path, seconds, secret, text, yesOrNo } from './values.js';
import { type Entry, key, list, optional, required, section } from './vocabulary.js';

export const authenticationMethods = [
  'password_file',
  'jwt',
  'http',
  'scram',
  'certificate',
] as const;
export type AuthenticationMethodName = (typeof authenticationMethods)[number];

export interface JwtConfig {
  readonly secret: string | undefined;
  readonly publicKey: string | undefined;
  readonly jwks: string | undefined;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
}

export interface HttpAuthenticationConfig {
  readonly url: string;
  readonly timeoutSeconds: number;
}

export interface AuthenticationConfig {
  readonly methods: readonly AuthenticationMethodName[] | undefined;
  readonly passwordFile: string | undefined;
  readonly jwt: JwtConfig | undefined;
  readonly http: HttpAuthenticationConfig | undefined;
  readonly scramFile: string | undefined;
  readonly certificate: boolean;
  readonly failuresMax: number;
  readonly blockSeconds: number;
}

const jwt: Entry<JwtConfig> = section<JwtConfig>({
  secret: optional(secret('a secret'), 'none', 'Secret of HMAC signatures.'),
  publicKey: optional(path('a file'), 'none', 'Public key in PEM of the signatures.'),
  jwks: optional(text('a URL or a file'), 'none', 'Where the public keys are, as a JWK Set.'),
  issuer: optional(text('an issuer'), 'any', 'The `iss` that tokens must have.'),
  audience: optional(text('an audience'), 'any', 'The `aud` that tokens must have.'),
});

const http: Entry<HttpAuthenticationConfig> = section<HttpAuthenticationConfig>({
  url: required(httpUrl(), 'Asked with POST for every client that connects.'),
  timeoutSeconds: key(seconds(1, 60), 5, 'Longest time to wait for the answer.'),
});

export const authentication: Entry<AuthenticationConfig> = section<AuthenticationConfig>({
  methods: optional(
    list(oneOf(...authenticationMethods)),
    'all that are set up, in this order',
    'Which of the methods are asked, in which order.',
  ),
  passwordFile: optional(path('a file'), 'none', 'User names with hashed passwords.'),
  jwt: optional(jwt, 'off', 'Signed tokens in place of passwords.'),
  http: optional(http, 'off', 'A server of your own that is asked.'),
  scramFile: optional(path('a file'), 'none', 'Credentials of SCRAM-SHA-256.'),
  certificate: key(yesOrNo(), false, 'Whether a client certificate is enough to be let in.'),
  failuresMax: key(count(0, 1_000_000), 0, 'Failures before an address is blocked; 0 blocks none.'),
  blockSeconds: key(seconds(1, 86_400), 60, 'How long an address is blocked.'),
});
