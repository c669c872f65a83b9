import type { ClientView } from '../../broker/hooks.js';
import { urlOf } from '../../transport/listener.js';
import { authenticationMethods } from '../config/authentication.js';
import { doorOf, methodsOf } from '../config/doors.js';
import type { Config, ListenConfig } from '../config.js';

const KNOWN: readonly string[] = authenticationMethods;

/**
 * Whether a client came in by a way that the new configuration has closed: by a method that its
 * listener asks no more, without a name where one is needed now, or before anybody was asked.
 */
export function isShutOut(
  { listener, identity }: Pick<ClientView, 'listener' | 'identity'>,
  next: Config,
  before: Config,
): boolean {
  const listen = listenerOf(listener, next);
  // One that is not in the file any more stays open, as it was, until a restart.
  if (listen === undefined) return false;
  const { authentication, allowAnonymous } = doorOf(listen, next);
  if (identity === undefined) {
    const was = listenerOf(listener, before);
    const wasOpen = was !== undefined && methodsOf(was, before).length === 0;
    return wasOpen && authentication.length > 0 && !allowAnonymous;
  }
  const { method = '' } = identity;
  if (method === 'anonymous') return !allowAnonymous;
  const asked: readonly string[] = authentication;
  return KNOWN.includes(method) && !asked.includes(method);
}

/** By its URL as it was bound, in which the system has chosen the port that 0 stands for. */
function listenerOf(bound: string, { listen }: Config): ListenConfig | undefined {
  const exact = listen.find(({ url }) => urlOf(url) === bound);
  if (exact !== undefined) return exact;
  const anyPort = bound.replace(/:\d+(?=\/|$)/, ':0');
  return listen.find(({ url }) => url.port === 0 && urlOf(url) === anyPort);
}
