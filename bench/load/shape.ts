import type { QoS, Version } from './packets.js';

/** What is sent to whom, in one measurement of traffic. */
export interface Shape {
  /** Independent groups of publishers and subscribers. */
  readonly pairs: number;
  /** Subscribers of each group; every one gets every message. */
  readonly fanOut: number;
  /** Publishers of each group. */
  readonly fanIn: number;
  readonly qos: QoS;
  readonly payloadBytes: number;
  /** Messages under way per publisher. */
  readonly window: number;
  readonly version: Version;
  readonly transport: 'tcp' | 'websocket';
  /** Content Type, Message Expiry Interval and two User Properties. */
  readonly properties: boolean;
  /** Publishers use a Topic Alias, and subscribers allow the broker some. */
  readonly topicAlias: boolean;
  /** Subscribers' Sessions outlive their connections. */
  readonly persistent: boolean;
  /** Messages per second of all publishers together, on a schedule; 0 closes the loop. */
  readonly rate: number;
  /** Subscriptions of all subscribers together; 0 gives each group one topic. */
  readonly subscriptions: number;
  readonly wildcards: boolean;
  /** Topics of each group that are published to; 0 for all, or as many as a ring holds. */
  readonly publishedTopics: number;
  /** Subscriptions made or ended per second by a client beside the load. */
  readonly churn: number;
}

export const plainShape: Shape = {
  pairs: 100,
  fanOut: 1,
  fanIn: 1,
  qos: 0,
  payloadBytes: 64,
  window: 100,
  version: 4,
  transport: 'tcp',
  properties: false,
  topicAlias: false,
  persistent: false,
  rate: 0,
  subscriptions: 0,
  wildcards: false,
  publishedTopics: 0,
  churn: 0,
};

export interface Topics {
  readonly names: readonly string[];
  readonly filters: readonly string[];
}

/** What the subscribers of one group subscribe to, and where its publishers publish. */
export function topicsOf(shape: Shape, pair: number): Topics {
  const group = String(pair).padStart(4, '0');
  if (shape.subscriptions === 0) {
    const name = `load/site-${group}/temperature`;
    return { names: [name], filters: [shape.wildcards ? `load/site-${group}/+` : name] };
  }
  const count = Math.max(1, Math.floor(shape.subscriptions / shape.pairs));
  const names: string[] = [];
  const filters: string[] = [];
  for (let index = 0; index < count; index++) {
    const device = String(index).padStart(7, '0');
    names.push(`load/site-${group}/device/${device}/state`);
    filters.push(shape.wildcards ? `load/site-${group}/+/${device}/#` : names[index]!);
  }
  return { names, filters };
}
