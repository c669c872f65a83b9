import { performance } from 'node:perf_hooks';

const MIB = 1024 * 1024;
/** More than a broker without Sessions has: to look through it would hold up clients for long. */
const HEAP_BYTES_MAX = 48 * MIB;
const LOOK_MS = 5000;
/** Of the time between two looks: below it nobody is kept waiting who comes often. */
const BUSY_SHARE_MAX = 0.1;
/**
 * What is worth the pause: so many mebibytes more than the last time, times so many seconds since
 * then.
 */
const WORTH_MIB_SECONDS = 240;
/** Less is not, however long ago that was. */
const GROWN_MIB_MIN = 4;

/**
 * Gives back what a burst of work has left, once it is quiet: pages of short-lived objects, source
 * text and compiled code, of which V8 keeps tens of megabytes until it next has to collect. It
 * takes some 20 ms, in which nothing else runs; so it is done when hardly anything does.
 */
export class SpareMemory {
  #loop = performance.eventLoopUtilization();
  #settledBytes = 0;
  /** Of `performance.now()`, which is 0 when the process begins. */
  #gaveBackMs = 0;

  async start(): Promise<void> {
    await this.#giveBack();
    setInterval(() => this.#look(), LOOK_MS).unref();
  }

  #look(): void {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#loop);
    this.#loop = now;
    if (utilization > BUSY_SHARE_MAX) return;
    const bytes = process.memoryUsage.rss();
    if (bytes < this.#settledBytes) this.#settledBytes = bytes;
    const grownMiB = (bytes - this.#settledBytes) / MIB;
    const seconds = (performance.now() - this.#gaveBackMs) / 1000;
    if (grownMiB < GROWN_MIB_MIN || grownMiB * seconds < WORTH_MIB_SECONDS) return;
    void this.#giveBack();
  }

  async #giveBack(): Promise<void> {
    this.#gaveBackMs = performance.now();
    await collect();
    this.#settledBytes = process.memoryUsage.rss();
  }
}

async function collect(): Promise<void> {
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
