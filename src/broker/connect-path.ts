import type { Logger } from '../base/log.js';
import type { Connection } from '../session/connection.js';
import type { Accepted } from '../session/connection-context.js';
import type { DisconnectCause } from '../session/host.js';
import type { Limits } from '../session/limits.js';
import type { Session } from '../session/session.js';
import type { Statistics } from '../session/statistics.js';
import type { Connack, Connect } from '../wire/control-packet.js';
import { isFailure, ReasonCode } from '../wire/reason-code.js';
import type { AccessPath } from './access-path.js';
import {
  announcedCapabilities,
  grantedExpirySeconds,
  grantedInFlight,
  grantedKeepAliveSeconds,
} from './capabilities.js';
import { clientView, entryOf, identify } from './client-view.js';
import { isAcceptance, sentenceOf } from './connect-answer.js';
import { judgeIdentifier, judgeVersion, judgeWill, type Refusal } from './connect-rules.js';
import type { Devices } from './devices/devices.js';
import type { ConnectRefusal, Hooks } from './hooks.js';
import type { IdentityExpiry } from './identity-expiry.js';
import type { RateControl } from './rate-control.js';
import type { SessionRegistry } from './session-registry.js';
import type { Store } from './store.js';

/**
 * A longer Client Identifier gets no topic for responses: it would not leave room for levels below.
 */
const RESPONSE_LENGTH_MAX = 1000;

/** What the broker asks of the connections it has. */
export interface ConnectionCounts {
  readonly connected: number;
  ofHost(host: string): number;
  /** Through a listener, by its URL. */
  ofListener(listener: string): number;
}

/**
 * CONNECT: judge → authenticate → authorise the will → take over → resume or begin a Session →
 * CONNACK. [MQTT-3.1.4-2]
 */
export class ConnectPath {
  readonly expiry: IdentityExpiry;
  readonly access: AccessPath;
  rates: RateControl | undefined = undefined;
  readonly #registry: SessionRegistry;
  readonly #store: Store;
  readonly #hooks: Hooks;
  readonly #limits: Limits;
  readonly #statistics: Statistics;
  readonly #log: Logger;
  readonly #counts: ConnectionCounts;
  readonly #devices: Devices;
  readonly #newClientIdentifier: (prefix: string) => string;
  /** Clean Start discarded a stored Session: these wait until that is durable. */
  readonly #waiting: {
    readonly ticket: number;
    readonly connection: Connection;
    readonly go: () => void;
  }[] = [];

  constructor(parts: {
    readonly registry: SessionRegistry;
    readonly store: Store;
    readonly hooks: Hooks;
    readonly limits: Limits;
    readonly statistics: Statistics;
    readonly log: Logger;
    readonly counts: ConnectionCounts;
    readonly devices: Devices;
    readonly newClientIdentifier: (prefix: string) => string;
    readonly expiry: IdentityExpiry;
    readonly access: AccessPath;
  }) {
    this.#registry = parts.registry;
    this.#store = parts.store;
    this.#hooks = parts.hooks;
    this.#limits = parts.limits;
    this.#statistics = parts.statistics;
    this.#log = parts.log;
    this.#counts = parts.counts;
    this.#devices = parts.devices;
    this.#newClientIdentifier = parts.newClientIdentifier;
    this.expiry = parts.expiry;
    this.access = parts.access;
  }

  /** Whether CONNECT may go on to authentication; otherwise it has been refused. */
  judge(connection: Connection, connect: Connect): boolean {
    const refusal =
      judgeVersion(connection, connect) ??
      judgeIdentifier(connection, connect, this.#limits) ??
      judgeWill(connection, connect, this.#limits) ??
      this.#judgeLimits(connection);
    if (refusal === undefined) {
      if (connect.clientIdentifier === '') {
        const prefix = connection.limits.assignedClientIdentifierPrefix;
        connection.clientIdentifier = this.#newClientIdentifier(prefix); // [MQTT-3.1.3-6]
      }
      return true;
    }
    this.refuse(connection, refusal);
    return false;
  }

  /** User name and password, by the hooks. */
  authenticate(connection: Connection, connect: Connect, then: () => void): void {
    if (this.#hooks.authenticate.empty) {
      then();
      return;
    }
    const { password, userProperties } = connect;
    const client = clientView(connection);
    const request = { ...client, ...entryOf(connection), password, userProperties };
    connection.decide(this.#hooks.authenticate.run(client, request), (decision) => {
      const answer = typeof decision === 'number' ? { reasonCode: decision } : decision;
      if (isFailure(answer.reasonCode)) {
        this.refuse(connection, { ...answer, sentence: sentenceOf(answer) });
        return;
      }
      if (isAcceptance(answer)) identify(connection, answer.identity);
      then();
    });
  }

  /** The client is who it says: may it leave this will, and what Session does it get? */
  enter(
    connection: Connection,
    connect: Connect,
    authenticated: Pick<Connack, 'authenticationMethod' | 'authenticationData'>,
  ): void {
    const { will } = connect;
    const refusal = this.rates?.enters(connection) ?? this.#registry.refusal(connection);
    if (this.isTooOften(connection, refusal)) return;
    this.access.enter(connection);
    if (will === undefined) {
      this.#comeIn(connection, connect, authenticated);
      return;
    }
    const mayPublish = connection.access?.mayPublish(will.topicName, will.qos, will.retain) ?? true;
    const decision = mayPublish
      ? this.#hooks.authorizePublish.run(clientView(connection), will)
      : ReasonCode.NotAuthorized;
    connection.decide(decision, (reasonCode) => {
      if (isFailure(reasonCode)) {
        const sentence = `this client may not publish its will to ${will.topicName}`;
        this.refuse(connection, { reasonCode, sentence });
      } else this.#comeIn(connection, connect, authenticated);
    });
  }

  /** Whether the client is refused for coming too often, or as one of too many. */
  isTooOften(connection: Connection, refusal: ConnectRefusal | undefined): boolean {
    if (refusal !== undefined)
      this.refuse(connection, { ...refusal, sentence: sentenceOf(refusal) });
    return refusal !== undefined;
  }

  refuse(connection: Connection, refusal: Refusal): void {
    const client = clientView(connection);
    if (!this.#hooks.refused.empty) {
      this.#hooks.refused.run({ client, reasonCode: refusal.reasonCode });
    }
    const { reasonCode, sentence, serverReference, isRepeated } = refusal;
    connection.refuse(reasonCode, sentence, { serverReference }, isRepeated);
  }

  committed(ticket: number): void {
    while (this.#waiting.length > 0 && this.#waiting[0]!.ticket <= ticket)
      this.#waiting.shift()!.go();
    if (this.#waiting.length > 0) this.#store.afterCommit(this);
  }

  #judgeLimits(connection: Connection): Refusal | undefined {
    const { connectionsMax, sessionsMax } = this.#limits;
    const { connectionsPerAddressMax } = connection.limits;
    const { host, listener } = connection.network.peer;
    const here = connection.policy.connectionsMax;
    const reasonCode = ReasonCode.QuotaExceeded;
    if (this.#counts.connected >= connectionsMax) {
      return { reasonCode, sentence: `the server has its ${connectionsMax} connections` };
    }
    if (here !== undefined && this.#counts.ofListener(listener) > here) {
      return { reasonCode, sentence: `${listener} has its ${here} connections` };
    }
    if (this.#counts.ofHost(host) > connectionsPerAddressMax) {
      const sentence = `${host} has its ${connectionsPerAddressMax} connections`;
      return { reasonCode, sentence };
    }
    const isKnown = this.#registry.get(connection.clientIdentifier) !== undefined;
    if (!isKnown && this.#registry.count >= sessionsMax) {
      return { reasonCode, sentence: `the server has its ${sessionsMax} sessions` };
    }
    return undefined;
  }

  /** At once, or later where two clients with one Client Identifier drive each other out. */
  #comeIn(
    connection: Connection,
    connect: Connect,
    authenticated: Pick<Connack, 'authenticationMethod' | 'authenticationData'>,
  ): void {
    const previous = this.#registry.get(connection.clientIdentifier)?.connection;
    const holdMs = this.#devices.holdTakeOver(connection, previous);
    if (holdMs === 0) this.#attach(connection, connect, authenticated);
    else if (holdMs === undefined) {
      const sentence = 'too many clients with this Client Identifier wait to replace each other';
      this.refuse(connection, { reasonCode: ReasonCode.ServerBusy, sentence });
    } else {
      connection.suspend();
      this.#devices.hold(connection, holdMs, () => {
        if (!connection.isClosed) this.#attach(connection, connect, authenticated);
        connection.resume();
      });
    }
  }

  #attach(
    connection: Connection,
    connect: Connect,
    authenticated: Pick<Connack, 'authenticationMethod' | 'authenticationData'>,
  ): void {
    this.#takeOver(connection);
    if (this.#supersede(connection)) {
      this.#afterCommit(connection, () => this.#attach(connection, connect, authenticated));
      return;
    }
    const old = this.#registry.get(connection.clientIdentifier);
    if (old !== undefined && (connect.cleanStart || this.#isForeign(connection, old))) {
      const wasStored = old.isStored;
      this.#registry.end(old); // [MQTT-3.1.2-4]
      if (wasStored) {
        // A crash behind CONNACK must not bring the discarded Session back.
        this.#afterCommit(connection, () => this.#attach(connection, connect, authenticated));
        return;
      }
    }
    this.#begin(connection, connect, authenticated);
  }

  /**
   * Whether the Session is of another user: what is queued in it is not for this one. A Session
   * from before anybody was asked for a name is taken over.
   */
  #isForeign(connection: Connection, session: Session): boolean {
    const { clientIdentifier, userName: user } = connection;
    const isByMethod = connection.identity ?? connection.connect!.authenticationMethod;
    const isAsked = isByMethod !== undefined || !this.#hooks.authenticate.empty;
    if (!isAsked || session.userName === undefined || session.userName === user) return false;
    this.#log.warn(
      { event: 'session_of_another_user', client: clientIdentifier, user, owner: session.userName },
      `The session of client ${clientIdentifier} ends: it was of user ${session.userName}`,
    );
    return true;
  }

  /** An older connection with this Client Identifier ends, its will published. [MQTT-3.1.4-3] */
  #takeOver(connection: Connection): void {
    const { clientIdentifier } = connection;
    const session = this.#registry.get(clientIdentifier);
    const other = session?.connection;
    if (other === undefined) return;
    if (this.#devices.withholdsWill(clientIdentifier)) session!.will = undefined;
    this.#statistics.takeOvers++;
    const [from, to] = [other.network.peer.address, connection.network.peer.address];
    this.#log.info(
      { event: 'taken_over', client: clientIdentifier, address: to, previous: from },
      `Client ${clientIdentifier} at ${from} was replaced by a new connection from ${to}`,
    );
    other.disconnect(takenOverBy(connection));
  }

  /**
   * Ends connections with this Client Identifier whose Clean Start is not durable; whether there
   * are.
   */
  #supersede(connection: Connection): boolean {
    const { clientIdentifier } = connection;
    const others = this.#waiting.filter(
      (other) => other.connection.clientIdentifier === clientIdentifier,
    );
    for (const other of others) other.connection.disconnect(takenOverBy(connection));
    return others.length > 0;
  }

  #begin(
    connection: Connection,
    connect: Connect,
    authenticated: Pick<Connack, 'authenticationMethod' | 'authenticationData'>,
  ): void {
    const { clientIdentifier, limits } = connection;
    const expirySeconds = grantedExpirySeconds(connect, limits);
    const old = this.#registry.get(clientIdentifier);
    const session =
      old ?? this.#registry.create(clientIdentifier, expirySeconds > 0, connect.will !== undefined);
    this.#registry.attached(session);
    session.connection = connection;
    session.userName = connection.userName;
    this.#registry.owners.own(session, connection.userName, connection.network.peer.host);
    this.access.attach(connection, session);
    session.protocolVersion = connect.protocolVersion;
    session.expirySeconds = expirySeconds;
    session.will = connect.will;
    this.#registry.save(session);
    const inFlight = grantedInFlight(connect, limits);
    const treatment = this.#devices.admit(connection, connect, session, inFlight);
    const keepAliveSeconds = grantedKeepAliveSeconds(
      connect,
      limits,
      treatment.serverKeepAliveSeconds,
    );
    const isV5 = connect.protocolVersion === 5;
    const accepted: Accepted = {
      session,
      keepAliveSeconds,
      receiveMaximum: treatment.inFlightMax,
      packetBytesMax: treatment.packetBytesMax,
      pace: treatment.pace,
      idleSecondsMax: treatment.idleSecondsMax,
      connack: {
        sessionPresent: old !== undefined, // [MQTT-3.2.2-2] [MQTT-3.2.2-3]
        ...(isV5 ? this.#properties(connection, connect, session, keepAliveSeconds) : {}),
        ...authenticated,
      },
    };
    connection.accept(accepted);
    if (!connection.isConnected) return;
    this.expiry.watch(connection);
    this.#accepted(connection, session);
  }

  #properties(
    connection: Connection,
    connect: Connect,
    session: Session,
    keepAliveSeconds: number,
  ): Omit<Connack, 'type' | 'reasonCode' | 'sessionPresent'> {
    const asked = connect.sessionExpiryIntervalSeconds;
    const { clientIdentifier } = connection;
    return {
      ...announcedCapabilities(connection.limits),
      sessionExpiryIntervalSeconds:
        session.expirySeconds === asked ? undefined : session.expirySeconds,
      assignedClientIdentifier: connect.clientIdentifier === '' ? clientIdentifier : undefined,
      serverKeepAliveSeconds:
        keepAliveSeconds === connect.keepAliveSeconds ? undefined : keepAliveSeconds,
      responseInformation:
        connect.requestResponseInformation && clientIdentifier.length <= RESPONSE_LENGTH_MAX
          ? `response/${clientIdentifier.replaceAll(/[+#/]/g, '_')}/`
          : undefined,
    };
  }

  #accepted(connection: Connection, session: Session): void {
    this.#statistics.connectionsAccepted++;
    const { network, version } = connection;
    const protocol = version === 5 ? '5.0' : version === 4 ? '3.1.1' : '3.1';
    const { clientIdentifier } = session;
    this.#log.info(
      {
        event: 'connected',
        client: clientIdentifier,
        user: session.userName,
        method: connection.identity?.method,
        address: network.peer.address,
        listener: network.peer.listener,
        protocol,
      },
      `Client ${clientIdentifier} connected from ${network.peer.address} with MQTT ${protocol}`,
    );
    if (!this.#hooks.connected.empty) this.#hooks.connected.run(clientView(connection));
  }

  #afterCommit(connection: Connection, go: () => void): void {
    connection.suspend();
    if (this.#waiting.length === 0) this.#store.afterCommit(this);
    const ticket = this.#store.openTicket;
    this.#waiting.push({
      ticket,
      connection,
      go: () => {
        if (!connection.isClosed) go();
        connection.resume();
      },
    });
  }
}

function takenOverBy(connection: Connection): DisconnectCause {
  return {
    kind: 'taken-over',
    reasonCode: ReasonCode.SessionTakenOver,
    sentence: `a new connection from ${connection.network.peer.address} uses the same Client Identifier`,
  };
}
