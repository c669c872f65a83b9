import type { ListenerPolicy } from '../../session/limits.js';
import { urlOf } from '../../transport/listener.js';
import { isLocal } from '../listen-url.js';
import type { AuthenticationConfig, AuthenticationMethodName } from './authentication.js';
import { authenticationMethods } from './authentication.js';
import type { ListenConfig } from './listener.js';
import type { Config } from './top.js';

type Doors = Pick<Config, 'listen' | 'allowAnonymous' | 'authentication'>;

/** The methods that are set up for a listener, in their usual order. */
export function methodsSetUp(
  config: AuthenticationConfig,
  { tls }: Pick<ListenConfig, 'tls'>,
): readonly AuthenticationMethodName[] {
  const file = config.passwordFile ?? config.dynamicSecurityFile;
  const hasUsers = file !== undefined || config.users.length > 0;
  const isSetUp: Readonly<Record<AuthenticationMethodName, boolean>> = {
    certificate: tls?.userNameFrom !== undefined,
    psk: tls?.pskFile !== undefined,
    jwt: config.jwt !== undefined,
    password_file: hasUsers,
    http: config.http !== undefined,
    scram: hasUsers && config.scram,
  };
  return authenticationMethods.filter((name) => isSetUp[name]);
}

/** The methods that clients of the listener are asked by, in order. */
export function methodsOf(
  listen: ListenConfig,
  { authentication }: Doors,
): readonly AuthenticationMethodName[] {
  return listen.authentication ?? authentication.methods ?? methodsSetUp(authentication, listen);
}

/** Sentences about methods that are named and not set up. */
export function judgeMethods(config: Doors): readonly string[] {
  const { authentication, listen } = config;
  const everywhere = new Set(listen.flatMap((each) => methodsSetUp(authentication, each)));
  const faults = listen.flatMap((each, i) => {
    const here = methodsSetUp(authentication, each);
    return (each.authentication ?? [])
      .filter((name) => !here.includes(name) && !mayCome(name, each))
      .map((name) => `listen[${i}].authentication: ${name} is not set up: ${HOW[name]}`);
  });
  const top = (authentication.methods ?? [])
    .filter((name) => !everywhere.has(name) && !listen.some((each) => mayCome(name, each)))
    .map((name) => `authentication.methods: ${name} is not set up: ${HOW[name]}`);
  return [...top, ...faults, ...cookiesForAll(config)];
}

/** A browser sends its cookies along with whatever page opens a WebSocket here. */
function cookiesForAll(config: Doors): readonly string[] {
  const cookie = config.authentication.jwt?.cookie;
  if (cookie === undefined) return [];
  return config.listen.flatMap((listen, i) => {
    const isWeb = ['ws', 'wss'].includes(listen.url.scheme);
    if (!isWeb || listen.origins !== undefined) return [];
    if (!methodsOf(listen, config).includes('jwt')) return [];
    return [
      `listen[${i}].origins: with jwt.cookie and without origins any page on the web could come in here ` +
        "with a visitor's cookie: list the pages that may",
    ];
  });
}

const USERS = 'name a password_file, or users, under authentication';
const HOW: Readonly<Record<AuthenticationMethodName, string>> = {
  certificate: 'give the listener tls.user_name_from',
  psk: 'give the listener a tls.psk_file',
  jwt: 'put jwt under authentication',
  password_file: USERS,
  http: 'put http under authentication',
  scram: USERS,
};

/** A proxy in front may have asked for a certificate. */
function mayCome(name: AuthenticationMethodName, { proxyProtocol }: ListenConfig): boolean {
  return name === 'certificate' && proxyProtocol !== undefined;
}

/** What the listener's policy says of it. */
export function doorOf(
  listen: ListenConfig,
  config: Doors,
): Required<Pick<ListenerPolicy, 'authentication' | 'allowAnonymous'>> {
  const authentication = methodsOf(listen, config);
  const said = listen.allowAnonymous ?? config.allowAnonymous;
  // Where nothing is asked, the address itself is the door, or TLS.
  return { authentication, allowAnonymous: said || authentication.length === 0 };
}

/** Whether clients of the listener need not say who they are. */
export function letsAnonymousIn(listen: ListenConfig, config: Doors): boolean {
  const said = listen.allowAnonymous ?? config.allowAnonymous;
  return said || (methodsOf(listen, config).length === 0 && !asksForCertificate(listen));
}

function asksForCertificate({ tls }: ListenConfig): boolean {
  return tls?.clientCertificate === 'required';
}

/**
 * Whoever can reach an open broker reads and writes everything: that must be said in so many words.
 */
export function openDoors(config: Doors): string[] {
  return config.listen
    .filter(
      (listen) =>
        !isLocal(listen.url) &&
        !(listen.allowAnonymous ?? config.allowAnonymous) &&
        letsAnonymousIn(listen, config),
    )
    .map(
      ({ url }) =>
        `${urlOf(url)} can be reached from other machines and asks for no password: ` +
        'whoever reaches it could read and write everything. ' +
        'Listen on 127.0.0.1, set up a way to authenticate (authentication: in the configuration ' +
        'file), or, where everybody on the network is trusted, say so with ' +
        '--allow-anonymous (allow_anonymous: true, DUNLIN_ALLOW_ANONYMOUS=true)',
    );
}
