import type { Logger } from '../base/log.js';
import type { AuthenticationMethod } from '../broker/authentication.js';
import { Broker, type BrokerParts } from '../broker/broker.js';
import type { DeviceHealth } from '../broker/devices/health.js';
import type { Hooks } from '../broker/hooks.js';
import type { LocalClient } from '../extensions/local-client/local-client.js';
import { LocalClientError } from '../extensions/local-client/local-client-error.js';
import type { LocalClientOptions } from '../extensions/local-client/options.js';
import { RateLimits } from '../extensions/rate-limit/rate-limits.js';
import type { StoreFailure } from '../session/session-store.js';
import type { Statistics } from '../session/statistics.js';
import type { Listener } from '../transport/listener.js';
import type { HttpHandler } from '../transport/websocket-listener.js';
import { ReasonCode } from '../wire/reason-code.js';
import { AccessKeeper } from './access-keeper.js';
import { Authentication } from './authentication/authentication.js';
import { bindListeners, release } from './bind-listeners.js';
import type { Config } from './config.js';
import { DetailLog } from './detail-log.js';
import { HttpHandlers } from './http-handlers.js';
import { linuxKernelQueues } from './kernel-queues.js';
import { ListenerPolicies, limitsOf, listenerKeys } from './listener-policies.js';
import { openStore } from './open-store.js';
import { SystemRandom } from './random.js';
import { atStartOnly, Reloads } from './reload.js';
import { SystemTick, SystemTimers } from './system.js';

/** After this long, clients that did not take their last packets are cut off. */
const SHUTDOWN_GRACE_MS = 3000;
const SHUTDOWN_LOOK_MS = 20;

export interface RunningBroker {
  /** The URLs with the ports really bound. */
  readonly addresses: readonly string[];
  readonly hooks: Hooks;
  readonly statistics: Statistics;
  /** The health of each client; those seen last come last. */
  devices(): readonly DeviceHealth[];
  /** Settles when the store fails: from then on nothing is acknowledged. */
  readonly storeFailed: Promise<StoreFailure>;
  /** An MQTT client inside this process; rejects with a `LocalClientError` when it is refused. */
  client(options?: LocalClientOptions): Promise<LocalClient>;
  /** Clients that name it in CONNECT are let in by it alone, without the `authenticate` hooks. */
  addAuthenticationMethod(method: AuthenticationMethod): void;
  /**
   * Plain HTTP requests to WebSocket listeners go to it before they go to the pages that are there.
   * Returns the function that removes it again.
   */
  addHttpHandler(handler: HttpHandler): () => void;
  /**
   * Takes a new configuration while clients stay connected; rejects with a `StartError` and changes
   * nothing where any of it cannot be used. Resolves with sentences on what needs a restart.
   */
  reload(next: Config): Promise<readonly string[]>;
  /**
   * Says goodbye to the clients, makes everything durable and frees the addresses. With a Server
   * Reference clients are told to use that server instead.
   */
  close(goodbye?: { readonly serverReference?: string }): Promise<void>;
}

/** Builds a broker that already listens; rejects with a `StartError` and leaves nothing open. */
export async function compose(config: Config, log: Logger): Promise<RunningBroker> {
  const health = new StoreHealth();
  const httpHandlers = new HttpHandlers();
  const { listeners, tls } = await bindListeners(config, {
    log,
    ready: () => health.failure === undefined,
    httpHandler: httpHandlers.handle,
  });
  const tick = new SystemTick();
  const timers = new SystemTimers(tick);
  const authentication = new Authentication({ clock: tick, timers, log });
  try {
    const doors = await authentication.prepare(config);
    const onFailure = (failure: StoreFailure): void => health.failed(failure);
    const stored = await openStore(config, {
      clock: tick,
      timers,
      endOfTick: tick,
      log,
      onFailure,
    });
    const broker = new Broker({
      clock: tick,
      timers,
      endOfTick: tick,
      random: new SystemRandom(),
      log,
      store: stored.store,
      limits: config.limits,
      ...deviceParts(config),
      sharingStrategy: config.sharingStrategy,
    });
    await stored.recoverInto(broker.recovery);
    const access = await AccessKeeper.open(config, { broker, log, clock: tick });
    const { statistics } = broker;
    broker.countRates(new RateLimits({ clock: tick, timers, log, statistics }));
    broker.start();
    authentication.join(broker, config);
    doors.apply();
    const reloads = new Reloads(config);
    reloads.add(atStartOnly(config));
    reloads.add(limitsOf(broker));
    reloads.add(new DetailLog(broker, log, config));
    reloads.add(access);
    const policies = new ListenerPolicies(config);
    reloads.add(policies);
    reloads.add(authentication);
    reloads.add(tls);
    await letIn({ broker, listeners, config, policies, httpHandlers, health });
    let isClosing = false;
    return {
      addresses: listeners.map(({ url }) => url),
      hooks: broker.hooks,
      ...insightInto(broker),
      storeFailed: health.whenFailed,
      client: async (options = {}) => {
        const { LocalClient } = await import('../extensions/local-client/local-client.js');
        if (isClosing) throw brokerIsClosed();
        return LocalClient.connect({ broker, endOfTick: tick, timers }, options);
      },
      addHttpHandler: (handler) => httpHandlers.add(handler),
      addAuthenticationMethod: (method) => broker.addAuthenticationMethod(method),
      reload: (next) => reloads.reload(next),
      close: once(async (goodbye?: { readonly serverReference?: string }) => {
        isClosing = true;
        access.stop();
        authentication.close();
        await closeConnections(broker, listeners, goodbye?.serverReference);
        // What comes due while the store closes is found again at the next start.
        timers.stop();
        // A store that has failed never ends what it began.
        await Promise.race([stored.close(), health.whenFailed]);
      }),
    };
  } catch (error) {
    timers.stop();
    await release(listeners);
    throw error;
  }
}

interface Entrance {
  readonly broker: Broker;
  readonly listeners: readonly Listener[];
  readonly config: Config;
  readonly policies: ListenerPolicies;
  readonly httpHandlers: HttpHandlers;
  readonly health: StoreHealth;
}

/** Loaded only where a listener has the page. */
async function tellStatus(entrance: Entrance): Promise<void> {
  const { broker, listeners, config, policies, httpHandlers, health } = entrance;
  if (!config.listen.some(({ statusPage }) => statusPage)) return;
  const { StatusPage } = await import('./status/status-page.js');
  const keys = listenerKeys(config.listen);
  const page = new StatusPage({
    broker,
    durability: config.inMemory ? 'memory' : config.durability,
    listeners: listeners.map(({ url }) => url),
    storeWorks: () => health.failure === undefined,
    policyOf: (listener) => {
      const at = listeners.findIndex(({ url }) => url === listener);
      return config.listen[at]?.statusPage === true ? policies.of(keys[at]!) : undefined;
    },
  });
  httpHandlers.add(page.handle);
}

function insightInto(broker: Broker): Pick<RunningBroker, 'statistics' | 'devices'> {
  return { statistics: broker.statistics, devices: () => broker.devices.health() };
}

function deviceParts(config: Config): Pick<BrokerParts, 'devices' | 'kernelQueues'> {
  const devices = { ...config.deviceCare, rules: config.devices };
  return { devices, kernelQueues: linuxKernelQueues() };
}

class StoreHealth {
  failure: StoreFailure | undefined = undefined;
  readonly whenFailed: Promise<StoreFailure>;
  #tell: (failure: StoreFailure) => void = () => {};

  constructor() {
    this.whenFailed = new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  failed(failure: StoreFailure): void {
    this.failure = failure;
    this.#tell(failure);
  }
}

function brokerIsClosed(): LocalClientError {
  return new LocalClientError('refused', ReasonCode.ServerUnavailable, 'the broker is closed');
}

async function letIn(entrance: Entrance): Promise<void> {
  const { broker, listeners, config, policies } = entrance;
  await tellStatus(entrance);
  const keys = listenerKeys(config.listen);
  listeners.forEach((listener, i) => {
    listener.start((network) => broker.accept(network, policies.of(keys[i]!)));
  });
}

async function closeConnections(
  broker: Broker,
  listeners: readonly Listener[],
  serverReference: string | undefined,
): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.stopAccepting()));
  broker.shutdown({ serverReference });
  await connectionsEnded(listeners);
  for (const listener of listeners) listener.destroyConnections();
  await connectionsEnded(listeners);
  broker.devices.stop();
}

function connectionsEnded(listeners: readonly Listener[]): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(done, SHUTDOWN_GRACE_MS);
    const looking = setInterval(look, SHUTDOWN_LOOK_MS);
    function look(): void {
      if (listeners.every(({ connections }) => connections === 0)) done();
    }
    function done(): void {
      clearTimeout(deadline);
      clearInterval(looking);
      resolve();
    }
    look();
  });
}

function once<A>(run: (argument?: A) => Promise<void>): (argument?: A) => Promise<void> {
  let running: Promise<void> | undefined;
  return (argument) => {
    running ??= run(argument);
    return running;
  };
}
