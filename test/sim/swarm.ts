import type { OverflowRule } from '../../src/session/limits.js';
import type { ShareStrategy } from '../../src/topic/shared-subscription.js';
import { Chance, derivedSeed } from './chance.js';
import type { Cutting } from './sim-pipe.js';

/** What a world is like: the seed draws which faults it has and how often. */
export interface SwarmOptions {
  readonly activeMs: number;
  readonly cutting: Cutting;
  readonly latencyMsMax: number;
  readonly sendBufferBytes: number;
  /** Chance that the events of one millisecond share a turn of the broker. */
  readonly glueTurnsPercent: number;
  readonly diskLatencyMsMax: number;
  /** How long the store waits for clients to acknowledge what they have just been sent. */
  readonly graceMs: number;
  /** Mean time between faults of each kind; 0 where this world has none. */
  readonly resetEveryMs: number;
  readonly vanishEveryMs: number;
  readonly clogEveryMs: number;
  readonly crashEveryMs: number;
  readonly reconnectMsMax: number;
  readonly publishEveryMs: number;
  readonly payloadBytesMax: number;
  readonly receiveMaximum: number;
  readonly clientReceiveMaximum: number;
  readonly queuedMessagesMax: number;
  readonly queueOverflow: OverflowRule;
  readonly outboxBytesMax: number;
  readonly inFlightMax: number;
  readonly sharingStrategy: ShareStrategy;
  /** The broker looks after small devices: step-down, quarantine, take-over damping. */
  readonly careForDevices: boolean;
  /** How long a message may be passed over before it is given up. */
  readonly patienceSeconds: number;
  readonly failAtWrite: number;
  readonly failAtRead: number;
}

/** As it is by default; some worlds show what the broker does without. */
const CARE_PERCENT = Number(process.env['CARE'] ?? 80);

export function drawSwarm(seed: number): SwarmOptions {
  const chance = new Chance(derivedSeed(seed, 'swarm'));
  const faultEvery = (percent: number, least: number, most: number): number => {
    const everyMs = chance.between(least, most);
    return chance.percent(percent) ? everyMs : 0;
  };
  return {
    activeMs: chance.between(2000, 6000),
    cutting: chance.pick(['glued', 'random', 'fine']),
    latencyMsMax: chance.pick([0, 1, 3, 20]),
    sendBufferBytes: chance.pick([200, 1500, 16_384, 1_000_000]),
    glueTurnsPercent: chance.pick([0, 50, 95]),
    diskLatencyMsMax: chance.pick([0, 1, 5, 40]),
    resetEveryMs: faultEvery(50, 200, 2000),
    vanishEveryMs: faultEvery(30, 500, 2000),
    clogEveryMs: faultEvery(40, 200, 2000),
    crashEveryMs: faultEvery(50, 700, 2500),
    reconnectMsMax: chance.pick([3, 120]),
    publishEveryMs: chance.pick([5, 20, 60]),
    payloadBytesMax: chance.pick([0, 40, 400, 3000]),
    receiveMaximum: chance.pick([3, 20, 1000]),
    clientReceiveMaximum: chance.pick([1, 2, 10, 100]),
    queuedMessagesMax: 100_000,
    queueOverflow: 'drop-oldest',
    outboxBytesMax: chance.pick([300, 4000, 1_000_000]),
    inFlightMax: chance.pick([1, 5, 256]),
    sharingStrategy: chance.pick([
      'round-robin',
      'random',
      'sticky',
      'least-inflight',
      'hash-client',
      'hash-topic',
    ]),
    careForDevices: new Chance(derivedSeed(seed, 'care')).percent(CARE_PERCENT),
    patienceSeconds: 900,
    failAtWrite: -1,
    failAtRead: -1,
    graceMs: chance.pick([0, 1, 5, 40]),
  };
}
