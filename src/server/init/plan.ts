import { hostname, networkInterfaces } from 'node:os';

/** What a new setup is to be; every question of `dunlin init` answers one of these. */
export interface SetupPlan {
  /** Where the files go. */
  readonly folder: string;
  readonly userName: string;
  /** Names and addresses by which clients reach the broker. */
  readonly names: readonly string[];
  /** From an authority of its own, from a public one, or none. */
  readonly certificates: 'local' | 'acme' | 'none';
  /** Only with `acme`. */
  readonly email: string | undefined;
  /** Whether devices that cannot do TLS are let in with their password, without encryption. */
  readonly plainDevices: boolean;
  readonly browsers: boolean;
  readonly mdns: boolean;
}

/** What holds where nobody says otherwise: nothing in clear text beyond this machine. */
export function defaultPlan(): SetupPlan {
  return {
    folder: '.',
    userName: 'home',
    names: ownNames(),
    certificates: 'local',
    email: undefined,
    plainDevices: false,
    browsers: true,
    mdns: false,
  };
}

/** The names that this machine goes by in its own network. */
export function ownNames(): string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => address);
  const host = hostname().toLowerCase();
  const local = host.includes('.') ? [host] : [host, `${host}.local`];
  return [...new Set([...local, 'localhost', ...addresses, '127.0.0.1'])];
}

/** The listeners of a plan, as they are written down. */
export function listenersOf(plan: SetupPlan, tls: object | undefined): object[] {
  const list: object[] = [];
  if (tls !== undefined) {
    list.push({ url: 'mqtts://0.0.0.0:8883', tls });
    if (plan.browsers) list.push({ url: 'wss://0.0.0.0:8443/mqtt', tls });
  }
  if (plan.plainDevices || tls === undefined) list.push({ url: 'mqtt://0.0.0.0:1883' });
  else list.push({ url: 'mqtt://127.0.0.1:1883' });
  if (plan.browsers && tls === undefined) list.push({ url: 'ws://0.0.0.0:8080/mqtt' });
  return list;
}
