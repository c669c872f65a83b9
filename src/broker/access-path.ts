import type { EndOfTick } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { DENIED } from '../session/client-access.js';
import { Connection } from '../session/connection.js';
import type { Session } from '../session/session.js';
import type { Subscription } from '../session/subscription.js';
import { parseTopicFilter } from '../topic/topic-filter.js';
import type { QoS } from '../wire/control-packet.js';
import { ReasonCode } from '../wire/reason-code.js';
import type { AccessControl } from './access-control.js';
import { clientView } from './client-view.js';
import type { ClientView } from './hooks.js';
import { InTurns } from './in-turns.js';
import type { SessionRegistry } from './session-registry.js';
import type { SubscribePath } from './subscribe-path.js';

/** To look up what one client may do, in Subscriptions judged. */
const CLIENT_COST = 10;

const LIMITS = { topicLevelsMax: 65_536, topicBytesMax: 65_535 };

/**
 * Where rules meet Sessions: each client gets its `ClientAccess` when it is let in, its
 * Subscriptions are judged again when it comes back or the rules change.
 */
export class AccessPath {
  #control: AccessControl | undefined = undefined;
  readonly #sessions: SessionRegistry;
  readonly #connections: Iterable<Connection>;
  readonly #subscribePath: SubscribePath;
  readonly #log: Logger;
  readonly #changing: InTurns<Session | Connection>;

  constructor(parts: {
    readonly endOfTick: EndOfTick;
    readonly sessions: SessionRegistry;
    /** All that there are, those included that are coming in. */
    readonly connections: Iterable<Connection>;
    readonly subscribePath: SubscribePath;
    readonly log: Logger;
  }) {
    this.#sessions = parts.sessions;
    this.#connections = parts.connections;
    this.#subscribePath = parts.subscribePath;
    this.#log = parts.log;
    this.#changing = new InTurns(parts.endOfTick, (each) => this.#changed(each));
  }

  /**
   * Puts these rules in the place of the last ones, for all who are there as well: first those who
   * are connected, some in every tick.
   */
  change(control: AccessControl | undefined): void {
    this.#control = control;
    const away = [...this.#sessions.all()].filter(({ connection }) => connection === undefined);
    this.#changing.start([...this.#connections, ...away]);
  }

  /** What it cost. */
  #changed(each: Session | Connection): number {
    if (each instanceof Connection) {
      if (each.isClosed) return each.session === undefined ? 1 : this.#changedAway(each.session);
      this.identified(each);
      return CLIENT_COST + (each.session?.subscriptions.size ?? 0);
    }
    return this.#changedAway(each);
  }

  #changedAway(session: Session): number {
    const { connection, clientIdentifier, userName, access } = session;
    // Whoever has come back was judged by the new rules, and whoever is gone for good needs none.
    if (connection !== undefined || this.#sessions.get(clientIdentifier) !== session) return 1;
    const control = this.#control;
    session.access =
      access === undefined
        ? control?.restored(clientIdentifier, userName)
        : control?.renewed(access);
    const cost = CLIENT_COST + session.subscriptions.size;
    this.#judge(session);
    this.left(session);
    return cost;
  }

  /**
   * The client is gone. What it may do is kept only where it is asked about meanwhile: it is looked
   * up anew when the client is back, and its queue is judged then.
   */
  left(session: Session): void {
    if (session.access === undefined || session.will !== undefined) return;
    for (const { isFiltered } of session.subscriptions.values()) if (isFiltered) return;
    session.access = undefined;
    if (session.awake !== undefined) session.awake.access = undefined;
  }

  /** A will that was left before a restart is judged by what is still known of its client. */
  restored(session: Session): void {
    if (session.will === undefined || this.#control === undefined) return;
    session.access = this.#control.restored(session.clientIdentifier, session.userName);
  }

  /** Whether somebody without a connection might receive anything that the filter matches. */
  mayReceive(client: ClientView, topicFilter: string): boolean {
    return this.#control?.enter(client)?.judge(topicFilter).qosMax !== DENIED;
  }

  /** The client is who it says, but has no Session yet. */
  enter(connection: Connection): void {
    if (this.#control !== undefined)
      connection.access = this.#control.enter(clientView(connection));
  }

  /** The client has its Session, which may have been that of somebody else before. */
  attach(connection: Connection, session: Session): void {
    const before = session.access;
    session.access = connection.access;
    if (before !== undefined || connection.access !== undefined) this.#judge(session);
  }

  /** Re-authentication has found out more or less about the client, or the rules have changed. */
  identified(connection: Connection): void {
    connection.access = this.#control?.enter(clientView(connection));
    const { session } = connection;
    if (session === undefined) return;
    session.access = connection.access;
    if (this.#judge(session) && this.#control?.disconnectsRevoked === true) {
      const sentence = 'its rules have changed, and it lost a subscription';
      const reasonCode = ReasonCode.NotAuthorized;
      connection.disconnect({ kind: 'administrative', reasonCode, sentence });
    }
  }

  /** Whether the connection ends for a PUBLISH that is denied. */
  denied(connection: Connection, qos: QoS): void {
    if (this.#control?.disconnectsDenied !== true) return;
    if (qos > 0 && connection.version === 5) return;
    connection.disconnect({
      kind: 'administrative',
      reasonCode: ReasonCode.NotAuthorized,
      sentence: 'it published what it may not, and the protocol has no other answer',
    });
  }

  /** Whether a Subscription was taken away. */
  #judge(session: Session): boolean {
    const { access, awake } = session;
    let isRevoked = false;
    if (awake?.queue.hasBacklog === true) awake.access = access;
    for (const subscription of [...session.subscriptions.values()]) {
      const parsed = parseTopicFilter(subscription.topicFilter, LIMITS);
      if (parsed === undefined) continue;
      const grant = access?.judge(parsed.topicFilter);
      if (grant?.qosMax === DENIED) {
        this.#revoke(session, subscription);
        isRevoked = true;
      } else {
        const isFiltered =
          grant !== undefined && (grant.isPartial || grant.qosMax < subscription.options.qos);
        this.#subscribePath.filter(subscription, isFiltered);
      }
    }
    return isRevoked;
  }

  #revoke(session: Session, subscription: Subscription): void {
    const { topicFilter } = subscription;
    this.#subscribePath.revoke(subscription);
    const { clientIdentifier, userName } = session;
    this.#log.warn(
      {
        event: 'subscription_revoked',
        client: clientIdentifier,
        user: userName,
        topic: topicFilter,
      },
      `Client ${clientIdentifier} lost its subscription ${topicFilter}: its rules allow it no more`,
    );
  }
}
