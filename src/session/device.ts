import { LatencyCounts } from './latency-counts.js';

/** Stand for what is empty: never written. */
const NO_ENDS: ReadonlyMap<string, number> = new Map();
/** Of all devices of which one connection has ended, by kind of cause: never written either. */
const ONE_END = new Map<string, ReadonlyMap<string, number>>();
const NO_LATENCY = new LatencyCounts();

/** As a `packetBytesMax`: nothing is known of it. */
export const UNLIMITED: number = Number.POSITIVE_INFINITY;

/** Of the difference between two gaps, this part counts (RFC 3550). */
const JITTER_SHARE = 16;
const HOUR_MS = 3_600_000;

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
  /** PUBLISH, PUBREL and SUBSCRIBE packets that it sent again though they were answered. */
  duplicates = 0;
  /** Messages dropped or dead-lettered because they were larger than it takes. */
  oversize = 0;
  /** Messages that were taken out of its way. */
  deadLettered = 0;
  /** QoS 0 messages dropped because it read too slowly. */
  droppedQoS0 = 0;
  /** Times that it was found to stumble over the same resent packet on each connection. */
  resendLoops = 0;
  /** Times that it was found to have stopped reading. */
  stalls = 0;
  /** Connections whose link was found to be slower than what is sent to it. */
  slowLinks = 0;
  largestAcknowledgedBytes = 0;
  /** How far its PINGREQs are from an even pace, in milliseconds, as RFC 3550 counts jitter. */
  pingJitterMs = 0;
  /** Connections of the hour that began then, and of the hour before. */
  hourAtWallMs = 0;
  hourConnections = 0;
  earlierConnections = 0;
  /** The store has a record of it. */
  isStored = false;
  /** How often connections ended, by kind of cause. */
  ends: ReadonlyMap<string, number> = NO_ENDS;
  #pingedMs = 0;
  #pingGapMs = 0;
  #latency: LatencyCounts = NO_LATENCY;

  constructor(clientIdentifier: string) {
    this.clientIdentifier = clientIdentifier;
  }

  /** From PUBLISH to PUBACK or PUBREC. */
  get latency(): Omit<LatencyCounts, 'add'> {
    return this.#latency;
  }

  restoreLatency(counts: readonly number[], maxMs: number): void {
    if (counts.length === 0) return;
    this.#latency = new LatencyCounts();
    this.#latency.restore(counts, maxMs);
  }

  countConnection(nowWallMs: number): void {
    this.#turnHour(nowWallMs);
    this.connections++;
    this.hourConnections++;
    this.#pingedMs = 0;
    this.#pingGapMs = 0;
  }

  /** Of the last hour, as if those of the hour before were spread evenly. */
  connectionsPerHour(nowWallMs: number): number {
    this.#turnHour(nowWallMs);
    const share = (nowWallMs - this.hourAtWallMs) / HOUR_MS;
    return Math.round(this.hourConnections + this.earlierConnections * (1 - share));
  }

  #turnHour(nowWallMs: number): void {
    const ageMs = nowWallMs - this.hourAtWallMs;
    if (ageMs >= 0 && ageMs < HOUR_MS) return;
    this.earlierConnections = ageMs < 2 * HOUR_MS ? this.hourConnections : 0;
    this.hourConnections = 0;
    this.hourAtWallMs = nowWallMs - (ageMs > 0 && ageMs < 2 * HOUR_MS ? ageMs - HOUR_MS : 0);
  }

  addLatency(ms: number): void {
    if (this.#latency === NO_LATENCY) this.#latency = new LatencyCounts();
    this.#latency.add(ms);
  }

  /** PINGREQ came. */
  pinged(nowMs: number): void {
    const gapMs = this.#pingedMs === 0 ? 0 : nowMs - this.#pingedMs;
    if (this.#pingGapMs > 0) {
      this.pingJitterMs += (Math.abs(gapMs - this.#pingGapMs) - this.pingJitterMs) / JITTER_SHARE;
    }
    this.#pingGapMs = gapMs;
    this.#pingedMs = nowMs;
  }

  countEnd(kind: string): void {
    if (this.ends === NO_ENDS) this.ends = oneEnd(kind);
    else this.ends = new Map(this.ends).set(kind, (this.ends.get(kind) ?? 0) + 1);
  }
}

function oneEnd(kind: string): ReadonlyMap<string, number> {
  const known = ONE_END.get(kind) ?? new Map([[kind, 1]]);
  ONE_END.set(kind, known);
  return known;
}
