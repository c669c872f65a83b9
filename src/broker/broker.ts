import type { Clock, EndOfTick, Timers } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Random } from '../base/random.js';
import { BufferPool } from '../session/buffer-pool.js';
import { Connection } from '../session/connection.js';
import type { ConnectionContext } from '../session/connection-context.js';
import { Drops } from '../session/drops.js';
import type { Decision, DisconnectCause, Host } from '../session/host.js';
import { defaultLimits, type Limits, type ListenerPolicy } from '../session/limits.js';
import type { NetworkConnection, NetworkConnectionEvents } from '../session/network-connection.js';
import type { OutboundContext } from '../session/outbound-context.js';
import { Statistics } from '../session/statistics.js';
import type { Topic } from '../session/topic.js';
import { RouteCache } from '../topic/route-cache.js';
import type { ShareStrategy } from '../topic/shared-subscription.js';
import { SubscriptionTree } from '../topic/subscription-tree.js';
import type { Auth, Connect, Subscribe, Unsubscribe } from '../wire/control-packet.js';
import { Publish } from '../wire/publish.js';
import { PublishFrame } from '../wire/publish-frame.js';
import { isFailure, ReasonCode } from '../wire/reason-code.js';
import { AccessPath } from './access-path.js';
import type { AuthenticationMethod } from './authentication.js';
import { ChangedPublish } from './changed-publish.js';
import { newClientIdentifier } from './client-identifier.js';
import { clientView } from './client-view.js';
import { ConnectPath } from './connect-path.js';
import { ConnectionCounter } from './connection-counter.js';
import { type DeviceOptions, defaultDeviceOptions } from './devices/device-options.js';
import { Devices } from './devices/devices.js';
import type { KernelQueues } from './devices/stalled-readers.js';
import { EnhancedAuthentication } from './enhanced-authentication.js';
import { type ClientView, Hooks } from './hooks.js';
import { IdentityExpiry } from './identity-expiry.js';
import { PublishPath } from './publish-path.js';
import type { RateControl } from './rate-control.js';
import { newRecovery } from './recovery.js';
import { RetainedMessages } from './retained.js';
import { RetainedDelivery } from './retained-delivery.js';
import { bytesOfRoute, gatherRoute, type Route, type Subscriber } from './route.js';
import { SessionRegistry } from './session-registry.js';
import { Shares } from './shares.js';
import type { Recovery, Store } from './store.js';
import { SubscribePath } from './subscribe-path.js';
import { Throttle } from './throttle.js';

const ROUTE_ENTRIES_MAX = 100_000;
const ROUTE_BYTES_MAX = 128 * 1024 * 1024;

export interface BrokerParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly endOfTick: EndOfTick;
  readonly random: Random;
  readonly log: Logger;
  readonly store: Store;
  readonly limits?: Partial<Limits>;
  readonly devices?: Partial<DeviceOptions> | undefined;
  readonly kernelQueues?: KernelQueues | undefined;
  readonly sharingStrategy?: ShareStrategy;
}

/**
 * The broker: joins connections, Sessions, subscriptions and messages. It does no I/O of its own.
 */
export class Broker implements Host {
  readonly statistics: Statistics = new Statistics();
  readonly limits: Limits;
  readonly hooks: Hooks;
  readonly retained: RetainedMessages;
  readonly sessions: SessionRegistry;
  readonly devices: Devices;
  readonly recovery: Recovery;
  /** Rules about who may do what; none at first. */
  readonly access: AccessPath;
  /** Of the request just carried out. */
  ticket = 0;
  readonly #parts: BrokerParts;
  readonly #connections = new Set<Connection>();
  readonly #counts = new ConnectionCounter();
  readonly #context: ConnectionContext;
  readonly #tree = new SubscriptionTree<Subscriber>();
  readonly #routes: RouteCache<Route>;
  readonly #publishPath: PublishPath;
  readonly #subscribePath: SubscribePath;
  readonly #connectPath: ConnectPath;
  readonly #retainedDelivery: RetainedDelivery;
  readonly #authentication: EnhancedAuthentication;
  readonly #throttle: Throttle;
  #rates: RateControl | undefined = undefined;
  readonly #changed = new ChangedPublish();

  constructor(parts: BrokerParts) {
    const { clock, timers, endOfTick, random, log, store } = parts;
    const limits = { ...defaultLimits, ...parts.limits };
    const { statistics } = this;
    this.#parts = parts;
    this.limits = limits;
    this.hooks = new Hooks(log);
    const { hooks } = this;
    const drops = new Drops(statistics, log, clock, hooks.dropped);
    this.#routes = this.#newRoutes(limits, random);
    const routes = this.#routes;
    const shares = new Shares(parts.sharingStrategy ?? 'round-robin', random, statistics);
    const retained = new RetainedMessages({ store, clock, timers, limits });
    this.retained = retained;
    this.#retainedDelivery = new RetainedDelivery({ retained, clock, endOfTick, drops });
    this.#publishPath = new PublishPath({
      routes,
      retained,
      shares,
      store,
      clock,
      limits,
      drops,
    });
    this.#subscribePath = new SubscribePath({
      tree: this.#tree,
      routes,
      shares,
      store,
      hooks,
      limits,
      retained: this.#retainedDelivery,
      log: this.#parts.log,
    });
    const outbound: OutboundContext = {
      clock,
      store,
      limits,
      statistics,
      drops,
      queuedFrame: new PublishFrame(),
    };
    this.sessions = new SessionRegistry({
      context: outbound,
      store,
      clock,
      timers,
      statistics,
      hooks,
      log,
      publishPath: this.#publishPath,
      subscribePath: this.#subscribePath,
      retainedDelivery: this.#retainedDelivery,
    });
    const tables = { sessions: this.sessions, connections: this.#connections, endOfTick };
    this.access = new AccessPath({ ...tables, subscribePath: this.#subscribePath, log });
    this.devices = this.#newDevices(drops);
    this.#connectPath = new ConnectPath({
      access: this.access,
      devices: this.devices,
      registry: this.sessions,
      store,
      hooks,
      limits,
      statistics,
      log,
      counts: this.#counts,
      newClientIdentifier: (prefix) => newClientIdentifier(random, prefix),
      expiry: new IdentityExpiry({ timers, clock, hooks, log }),
    });
    this.#authentication = new EnhancedAuthentication(this.#connectPath);
    this.#throttle = new Throttle(store, limits.storePendingBytesMax);
    const readers = this.devices.stalled;
    const shared = { clock, timers, endOfTick, log, limits, statistics, store, readers };
    this.#context = { ...shared, host: this, pool: new BufferPool(), publish: new Publish() };
    this.recovery = newRecovery(this.sessions, this.#subscribePath, retained, this.devices);
  }

  /** Open network connections, those included that have not sent CONNECT. */
  get connections(): number {
    return this.#connections.size;
  }

  /** A transport has a new network connection; it calls what this returns. */
  accept(network: NetworkConnection, policy: ListenerPolicy): NetworkConnectionEvents {
    const connection = new Connection(network, policy, this.#context);
    this.#connections.add(connection);
    this.#counts.began(network.peer);
    const isCounted = policy.rates !== undefined && this.#rates !== undefined;
    return isCounted ? this.#rates!.meter(connection) : connection;
  }

  /** Ends the connections that `chosen` names, ones that come in just now too; returns how many. */
  disconnectClients(
    chosen: (client: ClientView) => boolean,
    cause: Pick<DisconnectCause, 'reasonCode' | 'sentence'>,
  ): number {
    let ended = 0;
    for (const connection of [...this.#connections]) {
      const isKnown = connection.isConnected || connection.identity !== undefined;
      if (connection.isClosed || !isKnown || !chosen(clientView(connection))) continue;
      connection.disconnect({ kind: 'administrative', ...cause });
      ended++;
    }
    return ended;
  }

  /** From now on connections are counted whose listener has rates. */
  countRates(control: RateControl): void {
    this.#rates = control;
    this.#connectPath.rates = control;
  }

  addAuthenticationMethod(method: AuthenticationMethod): void {
    this.#authentication.add(method);
  }

  /**
   * Takes other limits. What a client was told stays as it is until it connects again, and the
   * bounds of topics stay as they were at the start.
   */
  changeLimits(limits: Limits): void {
    const { topicLevelsMax, topicBytesMax, storePendingBytesMax } = this.limits;
    Object.assign(this.limits, limits, { topicLevelsMax, topicBytesMax, storePendingBytesMax });
  }

  /** After recovery: wills of those who were connected at a crash, and what came due meanwhile. */
  start(): void {
    for (const session of this.sessions.all()) this.access.restored(session);
    this.sessions.resumeAll();
    this.devices.start();
  }

  /**
   * DISCONNECT 0x8B to every client, or 0x9C with a Server Reference to go to (5.0, section 4.11);
   * wills are published as for any server-side end.
   */
  shutdown({ serverReference }: { readonly serverReference?: string | undefined } = {}): void {
    const isMoving = serverReference !== undefined;
    for (const connection of [...this.#connections]) {
      connection.disconnect(
        {
          kind: 'server-shutdown',
          reasonCode: isMoving ? ReasonCode.UseAnotherServer : ReasonCode.ServerShuttingDown,
          sentence: 'the server is shutting down',
        },
        { serverReference },
      );
    }
  }

  connect(connection: Connection, connect: Connect): void {
    const path = this.#connectPath;
    if (path.isTooOften(connection, this.#rates?.arrives(connection))) return;
    if (!path.judge(connection, connect)) return;
    if (connect.authenticationMethod !== undefined) this.#authentication.begin(connection, connect);
    else {
      path.authenticate(connection, connect, () => path.enter(connection, connect, {}));
    }
  }

  authenticate(connection: Connection, auth: Auth): void {
    this.#authentication.continue(connection, auth);
  }

  topic(bytes: Uint8Array, start: number, end: number, likely?: Topic): Topic | undefined {
    return this.#routes.lookup(bytes, start, end, likely);
  }

  authorizePublish(connection: Connection, publish: Publish, topic: Topic): Decision<ReasonCode> {
    if (connection.policy.rates !== undefined) {
      this.#rates?.message(connection);
      if (connection.isClosed) return ReasonCode.MessageRateTooHigh;
    }
    const { authorizePublish } = this.hooks;
    const { qos, retain } = publish;
    if (connection.access?.mayPublish(topic.name, qos, retain) === false) {
      this.access.denied(connection, qos);
      return ReasonCode.NotAuthorized;
    }
    if (authorizePublish.empty) return ReasonCode.Success;
    return authorizePublish.run(clientView(connection), { topicName: topic.name, qos, retain });
  }

  publish(connection: Connection, publish: Publish, topic: Topic): ReasonCode {
    const { hooks } = this;
    const path = this.#publishPath;
    const session = connection.session!;
    let reasonCode: ReasonCode;
    if (hooks.changePublish.empty && hooks.published.empty) {
      reasonCode = path.publish(session, publish, topic, connection.version);
    } else {
      const message = this.#changed.message(publish, topic);
      const changed = hooks.changePublish.run(clientView(connection), message);
      if (typeof changed === 'number') {
        this.ticket = 0;
        return changed;
      }
      if (changed === message)
        reasonCode = path.publish(session, publish, topic, connection.version);
      else {
        const rewritten = this.#changed.rewritten(publish, changed, session, this.#parts.clock);
        reasonCode = path.publishMessage(rewritten, session, publish);
      }
      const { clientIdentifier } = session;
      if (!isFailure(reasonCode)) hooks.published.run({ clientIdentifier, ...changed });
    }
    this.#throttled(connection, path.ticket);
    return reasonCode;
  }

  authorizeSubscribe(
    connection: Connection,
    subscribe: Subscribe,
  ): Decision<readonly ReasonCode[]> {
    return this.#subscribePath.authorize(connection, subscribe);
  }

  subscribe(
    connection: Connection,
    subscribe: Subscribe,
    authorizations: readonly ReasonCode[],
  ): readonly ReasonCode[] {
    const reasonCodes = this.#subscribePath.subscribe(connection, subscribe, authorizations);
    this.#throttled(connection, this.#subscribePath.ticket);
    return reasonCodes;
  }

  subscribed(connection: Connection): void {
    const { session } = connection;
    if (session !== undefined) this.#retainedDelivery.pump(session);
  }

  roomAgain(connection: Connection): void {
    this.subscribed(connection);
  }

  unsubscribe(connection: Connection, unsubscribe: Unsubscribe): readonly ReasonCode[] {
    const reasonCodes = this.#subscribePath.unsubscribe(connection, unsubscribe);
    this.#throttled(connection, this.#subscribePath.ticket);
    return reasonCodes;
  }

  disconnected(connection: Connection, cause: DisconnectCause): void {
    this.#connections.delete(connection);
    this.#connectPath.expiry.forget(connection);
    this.#counts.ended(connection.network.peer);
    this.#logEnd(connection, cause);
    const { session } = connection;
    if (session === undefined || session.connection !== connection) return;
    this.devices.left(connection, session, cause);
    this.sessions.disconnected(session, cause);
    this.access.left(session);
    if (!this.hooks.disconnected.empty) {
      this.hooks.disconnected.run({ client: clientView(connection), cause });
    }
  }

  #newRoutes(limits: Limits, random: Random): RouteCache<Route> {
    return new RouteCache<Route>({
      topicLevelsMax: limits.topicLevelsMax,
      topicBytesMax: limits.topicBytesMax,
      entriesMax: ROUTE_ENTRIES_MAX,
      bytesMax: ROUTE_BYTES_MAX,
      random,
      bytesOf: bytesOfRoute,
      compute: (topicName) => gatherRoute(topicName, (visit) => this.#tree.match(topicName, visit)),
    });
  }

  #newDevices(drops: Drops): Devices {
    return new Devices({
      ...this.#parts,
      options: { ...defaultDeviceOptions, ...this.#parts.devices },
      limits: this.limits,
      statistics: this.statistics,
      drops,
      publishPath: this.#publishPath,
      retained: this.retained,
      sessionOf: (clientIdentifier) => this.sessions.get(clientIdentifier),
    });
  }

  #throttled(connection: Connection, ticket: number): void {
    this.ticket = ticket;
    if (ticket > 0) this.#throttle.check(connection);
  }

  #logEnd(connection: Connection, cause: DisconnectCause): void {
    const { clientIdentifier, network, session } = connection;
    const who = clientIdentifier === '' ? 'A client' : `Client ${clientIdentifier}`;
    const did = session === undefined ? 'was not let in' : 'is gone';
    const isFault = cause.kind === 'protocol-violation' || cause.kind === 'keep-alive-timeout';
    const isWarning = isFault || (session === undefined && clientIdentifier !== '');
    const level = cause.isRepeated === true ? 'debug' : isWarning ? 'warn' : 'info';
    this.#parts.log[level](
      {
        event: session === undefined ? 'refused' : 'disconnected',
        client: clientIdentifier,
        user: connection.userName,
        address: network.peer.address,
        listener: network.peer.listener,
        reason: cause.kind,
        code: cause.reasonCode,
      },
      `${who} at ${network.peer.address} ${did}: ${cause.sentence}`,
    );
  }
}
