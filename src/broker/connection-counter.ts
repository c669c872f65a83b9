import type { Peer } from '../session/network-connection.js';
import type { ConnectionCounts } from './connect-path.js';

/** Open network connections, those included that have not sent CONNECT. */
export class ConnectionCounter implements ConnectionCounts {
  readonly #hosts = new Map<string, number>();
  readonly #listeners = new Map<string, number>();
  #open = 0;

  /** Without the one that asks. */
  get connected(): number {
    return this.#open - 1;
  }

  ofHost(host: string): number {
    return this.#hosts.get(host) ?? 0;
  }

  ofListener(listener: string): number {
    return this.#listeners.get(listener) ?? 0;
  }

  began({ host, listener }: Peer): void {
    this.#open++;
    add(this.#hosts, host, 1);
    add(this.#listeners, listener, 1);
  }

  ended({ host, listener }: Peer): void {
    this.#open--;
    add(this.#hosts, host, -1);
    add(this.#listeners, listener, -1);
  }
}

function add(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
