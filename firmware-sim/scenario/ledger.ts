import { type Distribution, jainFairness, Samples } from '../base/samples.js';
import type { Measure } from './yardstick.js';

export interface Tally {
  readonly sent: number;
  readonly received: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly reordered: number;
}

export interface DeliveryReport extends Tally {
  /** From publisher to receiver, of the first copies. */
  readonly delayMs: Distribution;
}

/** Messages of one publisher at one QoS, told apart by a number in the payload, end to end. */
export class Stream {
  readonly name: string;
  readonly qos: number;
  readonly delayMs: Samples = new Samples();
  /** The longest delay of one, beyond what the machine may have cost; 0 without a yardstick. */
  heldUpMs = 0;
  readonly #times = new Map<number, number>();
  readonly #yardstick: Measure | undefined;
  #sent = 0;
  #highest = -1;
  #reordered = 0;

  constructor(name: string, qos: number, yardstick?: Measure) {
    this.name = name;
    this.qos = qos;
    this.#yardstick = yardstick;
  }

  get sent(): number {
    return this.#sent;
  }

  /** Numbers that came, each once. */
  get distinct(): number {
    return this.#times.size;
  }

  /** The next payload: who, which, when, and filling up to the size that is asked for. */
  next(nowMs: number, bytes = 0): string {
    const text = `${this.name} ${this.#sent++} ${nowMs.toFixed(3)} `;
    return text.padEnd(bytes, '.');
  }

  take(number: number, sentMs: number, nowMs: number): void {
    const times = this.#times.get(number) ?? 0;
    this.#times.set(number, times + 1);
    if (times > 0) return;
    this.delayMs.add(nowMs - sentMs);
    this.heldUpMs = Math.max(this.heldUpMs, this.#yardstick?.beyondMs(sentMs, nowMs) ?? 0);
    if (number < this.#highest) this.#reordered++;
    this.#highest = Math.max(this.#highest, number);
  }

  has(number: number): boolean {
    return this.#times.has(number);
  }

  tally(): Tally {
    const received = [...this.#times.values()].reduce((sum, times) => sum + times, 0);
    return {
      sent: this.#sent,
      received,
      lost: this.#sent - this.distinct,
      duplicated: received - this.distinct,
      reordered: this.#reordered,
    };
  }
}

/** Streams of a scenario; receivers hand it what they get, from whomever. */
export class Ledger {
  readonly #streams = new Map<string, Stream>();

  /** With a yardstick, what is held up on the way is told from what a busy machine costs. */
  stream(name: string, qos: number, yardstick?: Measure): Stream {
    if (name.includes(' ')) throw new Error(`a stream's name has no blanks: ${name}`);
    const stream = this.#streams.get(name) ?? new Stream(name, qos, yardstick);
    this.#streams.set(name, stream);
    return stream;
  }

  /** Undefined when the payload is none of a stream's. */
  take(payload: Buffer | string, nowMs: number): Stream | undefined {
    const [name, number, sentMs] = payload.toString().split(' ', 3);
    const stream = this.#streams.get(name ?? '');
    if (stream === undefined || number === undefined) return undefined;
    stream.take(Number(number), Number(sentMs), nowMs);
    return stream;
  }

  /** The same as `tallies`, with delays. */
  deliveries(): Record<string, DeliveryReport> {
    const tallies = Object.entries(this.tallies());
    return Object.fromEntries(
      tallies.map(([key, tally]) => {
        const delays = new Samples();
        for (const { qos, delayMs } of this.#streams.values()) {
          if (key === `qos${qos}`) delays.addAll(delayMs.values);
        }
        return [key, { ...tally, delayMs: delays.distribution() }];
      }),
    );
  }

  /** Jain's index over the share of each stream that arrived; undefined where none was used. */
  fairness(): number | undefined {
    const used = [...this.#streams.values()].filter(({ sent }) => sent > 0);
    if (used.length === 0) return undefined;
    return jainFairness(used.map(({ distinct, sent }) => distinct / sent));
  }

  /** Sums of all streams of each QoS that was used. */
  tallies(): Record<string, Tally> {
    const sums: Record<string, Tally> = {};
    for (const stream of this.#streams.values()) {
      const key = `qos${stream.qos}`;
      sums[key] = addTallies(sums[key], stream.tally());
    }
    return sums;
  }
}

export function addTallies(one: Tally | undefined, other: Tally): Tally {
  if (one === undefined) return other;
  return {
    sent: one.sent + other.sent,
    received: one.received + other.received,
    lost: one.lost + other.lost,
    duplicated: one.duplicated + other.duplicated,
    reordered: one.reordered + other.reordered,
  };
}
