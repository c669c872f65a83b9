import { type Clock, TimerEntry, type Timers } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Connection } from '../session/connection.js';
import type { Delivery } from '../session/delivery.js';
import type { DisconnectCause } from '../session/host.js';
import type { OutboundContext } from '../session/outbound-context.js';
import { NEVER_ENDS, Session, SessionTimer } from '../session/session.js';
import type { QueuePosition } from '../session/session-store.js';
import { DropReason, type Statistics } from '../session/statistics.js';
import { unfinished } from '../session/unfinished.js';
import type { ConnectRefusal, Hooks } from './hooks.js';
import type { PublishPath } from './publish-path.js';
import { RestingSessions } from './resting-sessions.js';
import type { RetainedDelivery } from './retained-delivery.js';
import { SessionOwners } from './session-owners.js';
import type { SessionRecord, Store } from './store.js';
import type { SubscribePath } from './subscribe-path.js';
import { willApplicationMessage } from './wills.js';

const HANDOVER_ENTRIES = 256;
/** What is due later than this has no timer of its own: it is looked for every so often. */
const NEAR_MS = 10 * 60_000;
const LOOK_MS = 5 * 60_000;

/** All Sessions by Client Identifier, and what becomes of them when their client goes. */
export class SessionRegistry {
  readonly owners: SessionOwners = new SessionOwners();
  readonly #sessions = new Map<string, Session>();
  /** Until all are restored. */
  #byNumber: Map<number, Session> | undefined = new Map();
  readonly #outlived: Session[] = [];
  readonly #resting: RestingSessions;
  /** Fires when it is time to look for what has come near. */
  readonly #lookout = new TimerEntry(() => this.#lookOut());
  readonly #context: OutboundContext;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #statistics: Statistics;
  readonly #hooks: Hooks;
  readonly #log: Logger;
  readonly #publishPath: PublishPath;
  readonly #subscribePath: SubscribePath;
  readonly #retainedDelivery: RetainedDelivery;

  constructor(parts: {
    readonly context: OutboundContext;
    readonly store: Store;
    readonly clock: Clock;
    readonly timers: Timers;
    readonly statistics: Statistics;
    readonly hooks: Hooks;
    readonly log: Logger;
    readonly publishPath: PublishPath;
    readonly subscribePath: SubscribePath;
    readonly retainedDelivery: RetainedDelivery;
  }) {
    this.#context = parts.context;
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#statistics = parts.statistics;
    this.#hooks = parts.hooks;
    this.#log = parts.log;
    this.#publishPath = parts.publishPath;
    this.#subscribePath = parts.subscribePath;
    this.#retainedDelivery = parts.retainedDelivery;
    this.#resting = new RestingSessions(parts.store);
  }

  get count(): number {
    return this.#sessions.size;
  }

  all(): Iterable<Session> {
    return this.#sessions.values();
  }

  get(clientIdentifier: string): Session | undefined {
    return this.#sessions.get(clientIdentifier);
  }

  /** Why the client may not have one more Session; undefined where it may. */
  refusal(connection: Connection): ConnectRefusal | undefined {
    const { sessionsPerUserMax } = this.#context.limits;
    return this.owners.judge(connection, this.get(connection.clientIdentifier), sessionsPerUserMax);
  }

  /** A Session that was restored, until all are. */
  byNumber(sessionNumber: number): Session | undefined {
    return this.#byNumber?.get(sessionNumber);
  }

  /**
   * A new Session. With `isStored` all of it goes to the store; with `hasRecord` alone only the
   * record that a will needs to survive a crash.
   */
  create(clientIdentifier: string, isStored: boolean, hasRecord: boolean): Session {
    const session = this.#newSession(clientIdentifier);
    if (isStored || hasRecord) session.recordNumber = this.#store.nextSessionNumber();
    session.isStored = isStored;
    this.#sessions.set(clientIdentifier, session);
    return session;
  }

  /** A Session that the store already has. */
  restore(record: SessionRecord, queue: Omit<QueuePosition, 'sessionNumber'>): void {
    const { clientIdentifier } = record;
    const session = this.#newSession(clientIdentifier);
    session.recordNumber = record.sessionNumber;
    session.isStored = true;
    this.#byNumber?.set(record.sessionNumber, session);
    session.userName = record.userName;
    this.owners.own(session, record.userName, undefined);
    session.protocolVersion = record.protocolVersion;
    session.expirySeconds = record.sessionExpiryIntervalSeconds;
    session.disconnectedAtWallMs = record.disconnectedAtWallMs;
    session.will = record.will;
    session.willDueWallMs = record.willDueWallMs;
    session.restore(queue);
    const other = this.#sessions.get(clientIdentifier);
    // A Session that was being discarded when the process ended has a younger one in its place.
    if (other !== undefined && other.recordNumber > session.recordNumber)
      this.#outlived.push(session);
    else {
      if (other !== undefined) this.#outlived.push(other);
      this.#sessions.set(clientIdentifier, session);
    }
  }

  /** Writes the Session's record as it is now. */
  save(session: Session): void {
    if (session.recordNumber > 0) this.#store.putSession(recordOf(session));
  }

  /** After recovery: who was connected when the process ended has lost its connection now. */
  resumeAll(): void {
    this.#byNumber = undefined;
    for (const session of this.#outlived.splice(0)) this.#release(session);
    for (const session of [...this.#sessions.values()]) {
      if (session.disconnectedAtWallMs === 0) this.#leave(session, true);
      else this.#timeIsUp(session);
    }
  }

  /** The Session's client is gone; the will, the Session's end or its waiting time follow. */
  disconnected(session: Session, cause: DisconnectCause): void {
    session.connection = undefined;
    session.outbound.detach();
    this.#retainedDelivery.clientGone(session);
    this.#leave(session, cause.kind !== 'client-disconnect');
  }

  /** A client has come back, or a new one takes the Session over: nothing is due any more. */
  attached(session: Session): void {
    this.#disarm(session);
    this.#resting.returned(session);
    session.disconnectedAtWallMs = 0;
    session.willDueWallMs = 0;
  }

  /** The Session State is discarded: by Clean Start, by expiry, or with its connection. */
  end(session: Session): void {
    this.publishWill(session);
    this.#disarm(session);
    this.#sessions.delete(session.clientIdentifier);
    if (this.#sessions.size === 0) this.#timers.disarm(this.#lookout);
    this.#release(session);
    if (!this.#hooks.sessionEnded.empty) {
      this.#hooks.sessionEnded.run({ clientIdentifier: session.clientIdentifier });
    }
  }

  /** Publishes the will if there is one, and never again. [MQTT-3.1.2-10] */
  publishWill(session: Session): void {
    const { will } = session;
    if (will === undefined) return;
    session.will = undefined;
    session.willDueWallMs = 0;
    const { topicName, qos, retain } = will;
    if (session.access?.mayPublish(topicName, qos, retain) === false) return;
    this.#publishPath.publishMessage(willApplicationMessage(will, session, this.#clock), session);
  }

  #newSession(clientIdentifier: string): Session {
    return new Session(clientIdentifier, this.#context);
  }

  readonly #due = (timer: TimerEntry): void => {
    if (timer instanceof SessionTimer) this.#timeIsUp(timer.session);
  };

  /** Its subscriptions, queue and records go; unfinished messages of shares go to other members. */
  #release(session: Session): void {
    this.owners.leave(session);
    const hasShares = [...session.subscriptions.keys()].some((name) => name.startsWith('$share/'));
    for (const subscription of [...session.subscriptions.values()]) {
      this.#subscribePath.remove(subscription);
    }
    const { outbound } = session;
    const { queue } = outbound;
    queue.end();
    this.#retainedDelivery.forget(session);
    if (!session.isStored) {
      this.#handOver(unfinished(outbound));
      this.#forget(session);
    } else if (hasShares && queue.count > 0) {
      // A crash while it is handed over must not bring the Session back.
      session.expirySeconds = 0;
      this.save(session);
      this.#handOverStored(session, queue.headSequence);
    } else {
      this.#statistics.dropped[DropReason.SessionEnded] += queue.count;
      this.#forget(session);
    }
  }

  #leave(session: Session, withWill: boolean): void {
    const nowWallMs = this.#clock.wallMs();
    session.disconnectedAtWallMs = nowWallMs;
    const { will } = session;
    if (!withWill)
      session.will = undefined; // [MQTT-3.14.4-3]
    else if (will !== undefined) {
      const delaySeconds = Math.min(will.delayIntervalSeconds, session.expirySeconds);
      if (delaySeconds === 0) this.publishWill(session);
      else session.willDueWallMs = nowWallMs + delaySeconds * 1000; // [MQTT-3.1.3-9]
    }
    if (session.expirySeconds === 0) {
      this.end(session); // [MQTT-3.1.2-23]
      return;
    }
    this.save(session);
    this.#armTimer(session);
    if (session.isStored) this.#resting.left(session);
  }

  /** The nearer of delayed will and end of the Session. */
  #armTimer(session: Session): void {
    const nowWallMs = this.#clock.wallMs();
    let dueWallMs = Number.POSITIVE_INFINITY;
    if (session.expirySeconds !== NEVER_ENDS) {
      dueWallMs = session.disconnectedAtWallMs + session.expirySeconds * 1000;
    }
    if (session.willDueWallMs > 0) dueWallMs = Math.min(dueWallMs, session.willDueWallMs);
    if (dueWallMs === Number.POSITIVE_INFINITY) return;
    if (dueWallMs - nowWallMs > NEAR_MS) {
      this.#disarm(session);
      if (!this.#lookout.armed) this.#timers.arm(this.#lookout, LOOK_MS);
      return;
    }
    session.timer ??= new SessionTimer(session, this.#due);
    this.#timers.arm(session.timer, Math.max(0, dueWallMs - nowWallMs));
  }

  #disarm(session: Session): void {
    if (session.timer !== undefined) this.#timers.disarm(session.timer);
    session.timer = undefined;
  }

  #lookOut(): void {
    for (const session of this.#sessions.values()) {
      const isAway = session.disconnectedAtWallMs > 0;
      if (isAway && session.timer === undefined) this.#armTimer(session);
    }
  }

  /** Does what is due by now, and waits for the rest. */
  #timeIsUp(session: Session): void {
    const nowWallMs = this.#clock.wallMs();
    if (session.willDueWallMs > 0 && session.willDueWallMs <= nowWallMs) {
      this.publishWill(session);
      this.save(session);
    }
    const endsWallMs = session.disconnectedAtWallMs + session.expirySeconds * 1000;
    if (session.expirySeconds !== NEVER_ENDS && endsWallMs <= nowWallMs) {
      this.#log.info(
        { event: 'session_expired', client: session.clientIdentifier },
        `The session of ${session.clientIdentifier} ended: its client did not come back within ${session.expirySeconds} s`,
      );
      this.end(session);
      return;
    }
    this.#armTimer(session);
  }

  /** Unfinished messages of a share go to another member; the others are counted as dropped. */
  #handOver(deliveries: Iterable<Delivery>): void {
    for (const delivery of deliveries) {
      const { share, message } = delivery;
      // A QoS 2 message whose exchange has begun must not go to another client. [MQTT-4.8.2-5]
      const mayMove = delivery.qos === 1 || delivery.packetIdentifier === 0;
      const isMoved =
        share !== undefined &&
        message !== undefined &&
        mayMove &&
        this.#publishPath.passOn(share, message);
      if (!isMoved) this.#statistics.dropped[DropReason.SessionEnded]++;
    }
  }

  /** The same for a queue on disk, page by page; only then the records go. */
  #handOverStored(session: Session, from: number): void {
    const { queue } = session.outbound;
    this.#store.readQueue(queue, from, queue.tailSequence, HANDOVER_ENTRIES, {
      page: (deliveries, end) => {
        for (const delivery of deliveries) queue.nameExchange(delivery);
        this.#handOver(deliveries);
        // In the batch that has the other member's copy: a crash hands none over a second time.
        for (const delivery of deliveries) queue.remove(delivery);
        if (end < queue.tailSequence) this.#handOverStored(session, end);
        else this.#forget(session);
      },
    });
  }

  #forget(session: Session): void {
    if (session.recordNumber > 0) this.#store.removeSession(recordOf(session));
  }
}

function recordOf(session: Session): SessionRecord {
  return {
    sessionNumber: session.recordNumber,
    clientIdentifier: session.clientIdentifier,
    userName: session.userName,
    protocolVersion: session.protocolVersion,
    sessionExpiryIntervalSeconds: session.expirySeconds,
    connected: session.connection !== undefined,
    disconnectedAtWallMs: session.disconnectedAtWallMs,
    will: session.will,
    willDueWallMs: session.willDueWallMs,
  };
}
