/** Clients that connect at the same time while a load is set up. */
const AT_ONCE_MAX = 50;

/** A few at a time, in order: setting up is no storm. */
export async function inGroups<T>(
  count: number,
  make: (index: number) => Promise<T>,
): Promise<T[]> {
  const made: T[] = [];
  for (let from = 0; from < count; from += AT_ONCE_MAX) {
    const size = Math.min(AT_ONCE_MAX, count - from);
    made.push(...(await Promise.all(Array.from({ length: size }, (_, i) => make(from + i)))));
  }
  return made;
}

export function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
