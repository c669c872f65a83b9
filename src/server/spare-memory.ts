import { type EventLoopUtilization, performance } from 'node:perf_hooks';

const MIB = 1024 * 1024;
/** With garbage. To look through more would hold up clients for long. */
const HEAP_BYTES_MAX = 128 * MIB;
const LOOK_MS = 5000;
/** Of the time between two looks: below it nobody is kept waiting who comes often. */
const BUSY_SHARE_MAX = 0.1;
/**
 * What is worth a short pause: so many mebibytes more than the last time, times so many seconds
 * since then. A pause that is longer than that has to be worth more.
 */
const WORTH_MIB_SECONDS = 240;
const SHORT_MS = 50;
/** Less is not, however long ago that was. */
const GROWN_MIB_MIN = 4;

/** What is known of this process, and how its memory is given back. */
export interface ProcessMemory {
  nowMs(): number;
  residentBytes(): number;
  /** Share of the time since the last call that the process worked. */
  busyShare(): number;
  giveBack(): Promise<void>;
}

/**
 * Gives back what a burst of work has left, once it is quiet: pages of short-lived objects, source
 * text and compiled code, of which V8 keeps tens of megabytes until it next has to collect. It
 * takes 10 to 20 ms for each ten mebibytes of heap, in which nothing else runs; so it is done when
 * hardly anything does.
 */
export class SpareMemory {
  readonly #process: ProcessMemory;
  #settledBytes = 0;
  #gaveBackMs = 0;
  /** How long it took the last time. */
  #tookMs = 0;

  constructor(process: ProcessMemory = new ThisProcess()) {
    this.#process = process;
  }

  async start(): Promise<void> {
    await this.#giveBack();
    setInterval(() => void this.look(), LOOK_MS).unref();
  }

  /** Whether it was done. */
  async look(): Promise<boolean> {
    if (this.#process.busyShare() > BUSY_SHARE_MAX) return false;
    const bytes = this.#process.residentBytes();
    if (bytes < this.#settledBytes) this.#settledBytes = bytes;
    const grownMiB = (bytes - this.#settledBytes) / MIB;
    const seconds = (this.#process.nowMs() - this.#gaveBackMs) / 1000;
    const worth = WORTH_MIB_SECONDS * Math.max(1, this.#tookMs / SHORT_MS);
    if (grownMiB < GROWN_MIB_MIN || grownMiB * seconds < worth) return false;
    await this.#giveBack();
    return true;
  }

  async #giveBack(): Promise<void> {
    this.#gaveBackMs = this.#process.nowMs();
    await this.#process.giveBack();
    this.#tookMs = this.#process.nowMs() - this.#gaveBackMs;
    this.#settledBytes = this.#process.residentBytes();
  }
}

class ThisProcess implements ProcessMemory {
  #loop: EventLoopUtilization = performance.eventLoopUtilization();

  nowMs(): number {
    return performance.now();
  }

  residentBytes(): number {
    return process.memoryUsage.rss();
  }

  busyShare(): number {
    const before = this.#loop;
    this.#loop = performance.eventLoopUtilization();
    return performance.eventLoopUtilization(this.#loop, before).utilization;
  }

  async giveBack(): Promise<void> {
    if (process.memoryUsage().heapUsed > HEAP_BYTES_MAX) return;
    try {
      // The one public way to what V8 does when memory is low; `gc()` collects and keeps the pages.
      const { Session } = await import('node:inspector');
      const session = new Session();
      session.connect();
      // The answer comes while a lock is held that the end of the session waits for: so later.
      session.post('HeapProfiler.collectGarbage', () => setImmediate(() => session.disconnect()));
    } catch {
      // A Node without it, or one that does not let us: V8 does it in its own time.
    }
  }
}
