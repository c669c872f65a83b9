import type { Logger } from '../base/log.js';
import { isLoopback } from './listen-url.js';

/** Service types that clients look for, by the protocol of a listener's URL. */
const SERVICE_TYPES: Readonly<Record<string, string>> = {
  'mqtt:': 'mqtt',
  'mqtts:': 'secure-mqtt',
};

export interface Announcement {
  stop(): Promise<void>;
}

/**
 * Tells the local network by mDNS (RFC 6763) what can be reached: `_mqtt._tcp` and
 * `_secure-mqtt._tcp`. Addresses of this machine alone are not announced.
 */
export async function announce(
  name: string,
  urls: readonly string[],
  log: Logger,
): Promise<Announcement> {
  const { Bonjour } = (await import('bonjour-service')).default;
  const onError = (error: Error): void => {
    const reason = error.message;
    log.warn({ event: 'announcement_failed', reason }, `mDNS does not work here: ${reason}`);
  };
  const bonjour = new Bonjour({}, onError);
  const announced = new Set<string>();
  for (const { protocol, hostname, port: written } of urls.map((url) => new URL(url))) {
    const type = SERVICE_TYPES[protocol];
    if (type === undefined || isLoopback(hostname.replace(/^\[|\]$/g, ''))) continue;
    const port = Number(written);
    // A name may stand once for each type.
    const unique = announced.has(type) ? `${name} ${port}` : name;
    announced.add(type);
    bonjour.publish({ name: unique, type, port });
    log.info({ event: 'announced', name: unique, type: `_${type}._tcp`, port }, sentence(unique));
  }
  return {
    stop: () =>
      new Promise((resolve) => {
        bonjour.unpublishAll(() => bonjour.destroy(() => resolve()));
      }),
  };
}

function sentence(name: string): string {
  return `The local network is told of this broker as "${name}"`;
}
