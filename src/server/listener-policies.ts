import { isDeepStrictEqual } from 'node:util';
import type { Broker } from '../broker/broker.js';
import { type Limits, type ListenerPolicy, listenerLimits } from '../session/limits.js';
import { MountPoint } from '../session/mount-point.js';
import { urlOf } from '../transport/listener.js';
import { doorOf } from './config/doors.js';
import { snakeCase } from './config/vocabulary.js';
import type { Config, ListenConfig } from './config.js';
import type { PreparedReload, Reloadable } from './reload.js';

/** What each listener decides; connections that come later get what was reloaded. */
export class ListenerPolicies implements Reloadable {
  /** As they were bound. */
  readonly #bound: ReadonlyMap<string, ListenConfig>;
  #policies: ReadonlyMap<string, ListenerPolicy>;

  constructor(config: Config) {
    this.#bound = byKey(config);
    this.#policies = policiesOf(config);
  }

  /** Of a listener by its key in `listenerKeys`. */
  of(key: string): ListenerPolicy {
    return this.#policies.get(key)!;
  }

  async prepare(next: Config): Promise<PreparedReload> {
    const policies = policiesOf(next);
    const opened = [...policies.keys()].filter((name) => !this.#bound.has(name));
    const closed = [...this.#bound.keys()].filter((name) => !policies.has(name));
    return {
      apply: () => {
        this.#policies = new Map([...this.#policies, ...policies]);
      },
      needsRestart: [
        ...opened.map((name) => `${name} is opened when the broker is started again`),
        ...closed.map((name) => `${name} stays open until the broker is started again`),
        ...this.#boundOtherwise(next),
      ],
    };
  }

  #boundOtherwise(next: Config): readonly string[] {
    return [...byKey(next)].flatMap(([name, listen]) => {
      const bound = this.#bound.get(name);
      if (bound === undefined) return [];
      return BOUND_ONCE.filter((key) => !isDeepStrictEqual(bound[key], listen[key])).map(
        (key) => `${snakeCase(key)} of ${name} changes when the broker is started again`,
      );
    });
  }
}

/** What a listener is bound with. */
const BOUND_ONCE = [
  'origins',
  'proxyProtocol',
  'trustedProxies',
  'socketMode',
  'statusPage',
] as const;

function byKey({ listen }: Config): ReadonlyMap<string, ListenConfig> {
  const keys = listenerKeys(listen);
  return new Map(listen.map((each, i) => [keys[i]!, each]));
}

function policiesOf(config: Config): ReadonlyMap<string, ListenerPolicy> {
  const entries = [...byKey(config)];
  return new Map(entries.map(([name, listen]) => [name, policyOf(listen, config)]));
}

function policyOf(listen: ListenConfig, config: Config): ListenerPolicy {
  const { connectionsMax, ...own } = listen.limits;
  return {
    ...doorOf(listen, config),
    guessing: listen.guessing,
    lenientReceiveMaximum: listen.lenientReceiveMaximum,
    protocolVersions: listen.versions,
    limits: listenerLimits(config.limits, own),
    ...(connectionsMax === undefined ? {} : { connectionsMax }),
    ...ratesOf(listen, config),
    ...(listen.mountPoint === undefined ? {} : { mountPoint: new MountPoint(listen.mountPoint) }),
  };
}

/** None where nothing is limited, so that nothing is counted. */
function ratesOf(listen: ListenConfig, config: Config): Pick<ListenerPolicy, 'rates'> {
  const rates = listen.rates ?? config.rates;
  const { client, user, address, listener } = rates;
  const isLimited = [client, user, address, listener].some(
    ({ connections, messages, bytes }) => (connections ?? messages ?? bytes) !== undefined,
  );
  const scope = listen.rates === undefined ? '' : urlOf(listen.url);
  return isLimited ? { rates: { ...rates, scope } } : {};
}

/** The URLs, which are told apart where one is there twice, as with port 0. */
export function listenerKeys(listen: readonly ListenConfig[]): readonly string[] {
  const seen = new Map<string, number>();
  return listen.map(({ url }) => {
    const name = urlOf(url);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  });
}

const AT_START_ONLY: readonly (keyof Limits)[] = [
  'topicLevelsMax',
  'topicBytesMax',
  'storePendingBytesMax',
];

/** The limits of a running broker. */
export function limitsOf(broker: Pick<Broker, 'limits' | 'changeLimits'>): Reloadable {
  return {
    prepare: async ({ limits }) => {
      const changed = AT_START_ONLY.filter((name) => limits[name] !== broker.limits[name]);
      return {
        apply: () => broker.changeLimits(limits),
        needsRestart: changed.map((name) => {
          const key = `limits.${snakeCase(name)}`;
          return `${key} stays ${broker.limits[name]} until the broker is started again`;
        }),
      };
    },
  };
}
