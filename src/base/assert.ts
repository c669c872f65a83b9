/** Stops the process's work on a broken invariant: our fault, never the peer's. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new AssertionError(what);
}

/**
 * Ends an exhaustive switch: reached only when a union has a member that the switch does not name.
 */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable value ${String(value)}`);
}

export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}
