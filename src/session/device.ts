import { LatencyCounts } from './latency-counts.js';

/** Stand for what is empty: never written. */
const NO_ENDS: ReadonlyMap<string, number> = new Map();
const NO_LATENCY = new LatencyCounts();

/** As a `packetBytesMax`: nothing is known of it. */
export const UNLIMITED: number = Number.POSITIVE_INFINITY;

/**
 * What the broker knows of one Client Identifier beyond its Session: what it has learned about the
 * device, and counters for its health. It outlives connections and Sessions.
 */
export class Device {
  readonly clientIdentifier: string;
  /** Larger packets were never acknowledged, so none is sent any more; `UNLIMITED` otherwise. */
  packetBytesMax: number = UNLIMITED;
  /** When that was learned, Unix epoch milliseconds. */
  learnedAtWallMs = 0;
  /** What CONNECT looked like when it was learned: another firmware asks for other things. */
  fingerprint = '';
  /** Messages in flight while it is stepped down; 0 while it is not. */
  steppedDownTo = 0;
  /** Connections in a row on which it acknowledged nothing of a full window. */
  deafConnections = 0;
  /** How long it must be calm before it is stepped up, in milliseconds. */
  calmMs = 0;
  /** Since when it has been calm, Unix epoch milliseconds. */
  calmSinceWallMs = 0;
  /** Unix epoch milliseconds of its first connection since the start. */
  firstSeenWallMs = 0;
  /** Unix epoch milliseconds of the last connection and the last end of one. */
  connectedAtWallMs = 0;
  leftAtWallMs = 0;
  connections = 0;
  /** Connections that the device dropped shortly behind messages. */
  drops = 0;
  takeOvers = 0;
  /** PUBLISH and SUBSCRIBE packets that it sent again on the same connection. */
  duplicates = 0;
  /** Messages dropped or dead-lettered because they were larger than it takes. */
  oversize = 0;
  /** Messages that were taken out of its way. */
  deadLettered = 0;
  /** QoS 0 messages dropped because it read too slowly. */
  droppedQoS0 = 0;
  largestAcknowledgedBytes = 0;
  /** How often connections ended, by kind of cause. */
  ends: ReadonlyMap<string, number> = NO_ENDS;
  #latency: LatencyCounts = NO_LATENCY;

  constructor(clientIdentifier: string) {
    this.clientIdentifier = clientIdentifier;
  }

  /** From PUBLISH to PUBACK or PUBREC. */
  get latency(): Omit<LatencyCounts, 'add'> {
    return this.#latency;
  }

  addLatency(ms: number): void {
    if (this.#latency === NO_LATENCY) this.#latency = new LatencyCounts();
    this.#latency.add(ms);
  }

  countEnd(kind: string): void {
    if (this.ends === NO_ENDS) this.ends = new Map();
    (this.ends as Map<string, number>).set(kind, (this.ends.get(kind) ?? 0) + 1);
  }
}
