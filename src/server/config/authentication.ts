import { type CallOutConfig, callOut } from './call-out.js';
import { type JwtConfig, jwt } from './jwt.js';
import { count, oneOf, path, seconds, secret, text, yesOrNo } from './values.js';
import { type Entry, group, key, list, optional, required, section } from './vocabulary.js';

/** In the order in which they are asked where nobody says otherwise: the cheap ones first. */
export const authenticationMethods = [
  'certificate',
  'psk',
  'jwt',
  'password_file',
  'http',
  'scram',
] as const;
export type AuthenticationMethodName = (typeof authenticationMethods)[number];

export interface UserConfig {
  readonly name: string;
  readonly passwordHash: string;
  readonly groups: readonly string[];
}

/** How guessing is slowed down. */
export interface GuessingConfig {
  readonly freeAttempts: number;
  readonly delaySecondsMax: number;
  readonly forgiveSeconds: number;
}

export interface AuthenticationConfig {
  readonly methods: readonly AuthenticationMethodName[] | undefined;
  readonly passwordFile: string | undefined;
  readonly dynamicSecurityFile: string | undefined;
  readonly users: readonly UserConfig[];
  readonly passwordCacheSeconds: number;
  readonly hashesAtOnce: number;
  readonly scram: boolean;
  readonly jwt: JwtConfig | undefined;
  readonly http: CallOutConfig | undefined;
  readonly guessing: GuessingConfig;
}

const user: Entry<UserConfig> = section<UserConfig>({
  name: required(text('a user name'), 'The user name.'),
  passwordHash: required(
    secret('a hash as `dunlin passwd` writes it'),
    'What stands behind the name in a password file; never the password itself.',
  ),
  groups: key(list(text('a group'), { emptyToo: true }), [], 'Groups that the user is in.'),
});

export const guessing: Entry<GuessingConfig> = section<GuessingConfig>({
  freeAttempts: key(
    count(0, 1000),
    3,
    'Wrong attempts from one address or for one user that are answered without delay.',
  ),
  delaySecondsMax: key(
    seconds(0, 60),
    5,
    'Longest delay of a refusal; it doubles from 250 ms up to this.',
  ),
  forgiveSeconds: key(seconds(1, 86_400), 30, 'Time after which one wrong attempt is forgiven.'),
});

export const authentication: Entry<AuthenticationConfig> = section<AuthenticationConfig>({
  methods: optional(
    list(oneOf(...authenticationMethods)),
    'all that are set up, in this order',
    'Which of the methods are asked, in which order.',
  ),
  passwordFile: optional(
    path('a file'),
    'none',
    'User names with hashed passwords, made by `dunlin passwd` or `mosquitto_passwd`.',
  ),
  dynamicSecurityFile: optional(
    path('a file'),
    'none',
    "Users of Mosquitto's dynamic-security.json; asked by the method `password_file` too.",
  ),
  users: key(
    list(user, { emptyToo: true }),
    [],
    'Further users, beside those of the file; asked by the method `password_file` too.',
  ),
  passwordCacheSeconds: key(
    seconds(0, 86_400),
    300,
    'How long a right password is remembered, so that a reconnect costs no hashing.',
  ),
  hashesAtOnce: key(count(1, 64), 2, "Passwords that are hashed at once, beside the disk's work."),
  scram: key(
    yesOrNo(),
    true,
    'Whether users with SCRAM keys may log in by the Authentication Method `SCRAM-SHA-256`.',
  ),
  jwt: optional(jwt, 'off', 'Signed tokens in place of passwords.'),
  http: optional(
    callOut('Asked with POST for every client that connects.'),
    'off',
    'A server of your own that is asked.',
  ),
  guessing: group(guessing, 'How guessing is slowed down.'),
});
