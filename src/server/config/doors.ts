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
  const hasUsers = config.passwordFile !== undefined || config.users.length > 0;
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
