import { assert } from './assert.js';
import { TimerEntry, type Timers } from './clock.js';

/** Entries fire at the first multiple of this that is not before they are due. */
const TICK_MS = 4;
const SLOT_BITS = 6;
const SLOTS = 1 << SLOT_BITS;
/** 2^42 ticks of 4 ms are 557 years: more than the 136 of a Four Byte Integer of seconds. */
const LEVELS = 7;
const TICK_LAST = SLOTS ** LEVELS - 1;
const WORD_BITS = 32;
const WORDS_PER_LEVEL = SLOTS / WORD_BITS;

/**
 * Hierarchical timer wheel. A tick number is read as seven digits of base 64; an entry lies in the
 * level of the highest digit in which its tick differs from the current one, in the slot of its own
 * digit.
 *
 *   current tick     0 0 0 0 2 17 40
 *   level 0 (4 ms)   ticks 0 0 0 0 2 17 x      x > 40   fire when reached
 *   level 1 (256 ms) ticks 0 0 0 0 2 x  ·      x > 17   spread over level 0 when reached
 *   level 2 (16 s)   ticks 0 0 0 0 x ·  ·      x > 2    spread over levels 1 and 0
 *   …
 *
 * So slots never wrap around, and the first occupied slot of the lowest occupied level comes next.
 *
 * Moving an armed entry to a later time only changes `dueMs`: it stays where it is and is placed
 * anew when its old slot is reached. Keep Alive, which every packet moves, costs an addition and a
 * compare.
 *
 * The wheel's time is that of the last `advance`. The host therefore advances it at the start of
 * each turn, before anything can arm, and sleeps until `nextDueMs` at most.
 */
export class TimerWheel implements Timers {
  #nowMs: number;
  /** All entries due at this tick or before it have fired. */
  #tick: number;
  #armed = 0;
  /** Heads of circular lists, level after level. */
  readonly #slots: TimerEntry[] = [];
  /**
   * A bit for each slot that may hold entries; those that turn out empty are cleared in passing.
   */
  readonly #occupied: Int32Array = new Int32Array(LEVELS * WORDS_PER_LEVEL);

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
    this.#tick = Math.floor(nowMs / TICK_MS);
    for (let i = 0; i < LEVELS * SLOTS; i++) {
      const head = new TimerEntry(neverFires);
      head.previous = head;
      head.next = head;
      this.#slots.push(head);
    }
  }

  /** Number of armed entries. */
  get armed(): number {
    return this.#armed;
  }

  arm(entry: TimerEntry, delayMs: number): void {
    assert(delayMs >= 0, 'a timer delay is a number from 0 on');
    const dueMs = this.#nowMs + delayMs;
    if (entry.armed) {
      if (dueMs >= entry.dueMs) {
        entry.dueMs = dueMs;
        return;
      }
      unlink(entry);
    } else {
      entry.armed = true;
      this.#armed++;
    }
    entry.dueMs = dueMs;
    this.#place(entry);
  }

  disarm(entry: TimerEntry): void {
    if (!entry.armed) return;
    entry.armed = false;
    this.#armed--;
    unlink(entry);
  }

  /** Fires what is due at this time, in order of ticks; also what is armed and due meanwhile. */
  advance(nowMs: number): void {
    if (nowMs <= this.#nowMs) return;
    this.#nowMs = nowMs;
    const lastTick = Math.floor(nowMs / TICK_MS);
    for (let slot = this.#nextSlot(); slot >= 0; slot = this.#nextSlot()) {
      const tick = this.#startOf(slot);
      if (tick > lastTick) break;
      this.#tick = tick;
      this.#empty(this.#slots[slot]!);
    }
    this.#tick = lastTick;
  }

  /**
   * The time at which `advance` has work next; undefined when nothing is armed. Nothing fires
   * before it, but it may be early: entries far away or moved are only placed anew then.
   */
  nextDueMs(): number | undefined {
    const slot = this.#nextSlot();
    return slot < 0 ? undefined : this.#startOf(slot) * TICK_MS;
  }

  /** Fires or places anew each entry of a slot whose first tick is the current one. */
  #empty(head: TimerEntry): void {
    for (let entry = head.next!; entry !== head; entry = head.next!) {
      unlink(entry);
      if (entry.dueMs <= this.#tick * TICK_MS) {
        entry.armed = false;
        this.#armed--;
        entry.fire(entry);
      } else {
        this.#place(entry);
      }
    }
  }

  #place(entry: TimerEntry): void {
    let dueTick = Math.ceil(entry.dueMs / TICK_MS);
    if (dueTick <= this.#tick) dueTick = this.#tick + 1;
    if (dueTick > TICK_LAST) dueTick = TICK_LAST;
    let level = 0;
    let due = dueTick;
    let duePrefix = Math.floor(due / SLOTS);
    let prefix = Math.floor(this.#tick / SLOTS);
    while (duePrefix !== prefix) {
      level++;
      due = duePrefix;
      duePrefix = Math.floor(due / SLOTS);
      prefix = Math.floor(prefix / SLOTS);
    }
    const digit = due - duePrefix * SLOTS;
    const slot = level * SLOTS + digit;
    this.#occupied[slot >>> 5]! |= 1 << (slot & (WORD_BITS - 1));
    const head = this.#slots[slot]!;
    const last = head.previous!;
    entry.previous = last;
    entry.next = head;
    last.next = entry;
    head.previous = entry;
  }

  /** The occupied slot that is reached first, or -1. */
  #nextSlot(): number {
    if (this.#armed === 0) return -1;
    for (let word = 0; word < this.#occupied.length; word++) {
      while (this.#occupied[word] !== 0) {
        const bits = this.#occupied[word]!;
        const bit = WORD_BITS - 1 - Math.clz32(bits & -bits);
        const slot = word * WORD_BITS + bit;
        const head = this.#slots[slot]!;
        if (head.next !== head) return slot;
        this.#occupied[word] = bits & ~(1 << bit);
      }
    }
    return -1;
  }

  /** The first tick of a slot ahead of the current tick. */
  #startOf(slot: number): number {
    const level = slot >>> SLOT_BITS;
    const ticksPerSlot = SLOTS ** level;
    const ticksPerLevel = ticksPerSlot * SLOTS;
    const levelStart = Math.floor(this.#tick / ticksPerLevel) * ticksPerLevel;
    return levelStart + (slot & (SLOTS - 1)) * ticksPerSlot;
  }
}

function unlink(entry: TimerEntry): void {
  const previous = entry.previous!;
  const next = entry.next!;
  previous.next = next;
  next.previous = previous;
  entry.previous = undefined;
  entry.next = undefined;
}

function neverFires(): void {}
