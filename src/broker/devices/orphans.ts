import type { Device } from '../../session/device.js';

/** So many new Sessions of one address that nobody has come back to are orphans. */
const ORPHANS_MIN = 20;
/** Addresses that are remembered; beyond, what was noted is forgotten. */
const HOSTS_MAX = 1000;

interface Newcomers {
  devices: Device[];
  isTold: boolean;
}

/**
 * Finds clients that ask for a Session that is kept, each time under a new Client Identifier: the
 * Sessions stay behind, and their queues with them. Pure.
 */
export class Orphans {
  readonly #hosts = new Map<string, Newcomers>();

  /**
   * A device that was never seen has begun a Session that is kept. Returns how many were left
   * behind by this address when that is found out, once for an address; else 0.
   */
  began(device: Device, host: string, isAway: (device: Device) => boolean): number {
    let newcomers = this.#hosts.get(host);
    if (newcomers === undefined) {
      if (this.#hosts.size >= HOSTS_MAX) this.#hosts.clear();
      newcomers = { devices: [], isTold: false };
      this.#hosts.set(host, newcomers);
    }
    if (newcomers.isTold) return 0;
    // Names that are drawn at random have one length; whoever came back, or is there, is none.
    const { length } = device.clientIdentifier;
    newcomers.devices = newcomers.devices.filter(
      (other) =>
        other.clientIdentifier.length === length && other.connections === 1 && isAway(other),
    );
    newcomers.devices.push(device);
    const orphans = newcomers.devices.length - 1;
    if (orphans < ORPHANS_MIN) return 0;
    newcomers.isTold = true;
    newcomers.devices = [];
    return orphans;
  }
}
