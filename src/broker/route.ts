import { DENIED } from '../session/client-access.js';
import type { Session } from '../session/session.js';
import { qosFor, type Subscription } from '../session/subscription.js';
import type { QoS } from '../wire/control-packet.js';
import type { Share } from './shares.js';

/** What the subscription tree holds: a Subscription of one Session, or a share of many. */
export type Subscriber = Subscription | Share;

/** One copy for one Session, whatever number of its Subscriptions match. [MQTT-3.3.4-2] */
export class RouteTarget {
  readonly session: Session;
  /** The highest of those that match. */
  qos: QoS = 0;
  retainAsPublished = false;
  /** Of all matching Subscriptions that have one. [MQTT-3.3.4-4] */
  readonly identifiers: number[] = [];
  /** Some matching Subscription has No Local: a message of this Session itself goes by `own`. */
  hasNoLocal = false;
  /** For messages of the Session itself; undefined when every match has No Local. [MQTT-3.8.3-3] */
  own: RouteTarget | undefined = undefined;

  constructor(session: Session) {
    this.session = session;
  }

  merge(subscription: Subscription, qos: QoS): void {
    const { options, identifier } = subscription;
    if (qos > this.qos) this.qos = qos;
    if (options.retainAsPublished) this.retainAsPublished = true;
    if (identifier > 0 && !this.identifiers.includes(identifier)) this.identifiers.push(identifier);
  }
}

/** Where a Topic Name goes, as long as no subscription that matches it changes. */
export interface Route {
  readonly targets: readonly RouteTarget[];
  readonly shares: readonly Share[];
}

/** As measured, with the arrays that they lie in. */
const ROUTE_BYTES = 128;
const TARGET_BYTES = 112;

/** Memory of a route, roughly: with many Sessions a route is larger than its Topic Name. */
export function bytesOfRoute({ targets, shares }: Route): number {
  return ROUTE_BYTES + (targets.length + shares.length) * TARGET_BYTES;
}

type Matches = (visit: (subscriber: Subscriber) => void) => void;

/**
 * Gathers the matches of one Topic Name into a route. Who may not receive it is not in the route,
 * so that what rules filter costs nothing for each message.
 */
export function gatherRoute(topicName: string, matches: Matches): Route {
  const targets = new Map<Session, RouteTarget>();
  const shares: Share[] = [];
  let someNoLocal = false;
  matches((subscriber) => {
    if ('group' in subscriber) {
      shares.push(subscriber);
      return;
    }
    const qos = qosFor(subscriber, topicName);
    if (qos === DENIED) return;
    const target = targetOf(targets, subscriber.session);
    target.merge(subscriber, qos);
    if (subscriber.options.noLocal) {
      target.hasNoLocal = true;
      someNoLocal = true;
    }
  });
  if (someNoLocal) addOwnTargets(topicName, targets, matches);
  return { targets: [...targets.values()], shares };
}

/** For Sessions with No Local: what is left for their own messages. */
function addOwnTargets(
  topicName: string,
  targets: ReadonlyMap<Session, RouteTarget>,
  matches: Matches,
): void {
  matches((subscriber) => {
    if ('group' in subscriber || subscriber.options.noLocal) return;
    const target = targets.get(subscriber.session);
    const qos = qosFor(subscriber, topicName);
    if (target?.hasNoLocal !== true || qos === DENIED) return;
    target.own ??= new RouteTarget(subscriber.session);
    target.own.merge(subscriber, qos);
  });
}

function targetOf(targets: Map<Session, RouteTarget>, session: Session): RouteTarget {
  let target = targets.get(session);
  if (target === undefined) {
    target = new RouteTarget(session);
    targets.set(session, target);
  }
  return target;
}
