/** More than a broker without Sessions has: to look through it would hold up clients for long. */
const HEAP_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Gives back what only the start needed, which V8 would do ten seconds later: source text, compiled
 * code and free pages, 6 MiB together. It takes 20 ms, in which nothing else runs.
 */
export async function giveBackSpareMemory(): Promise<void> {
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
