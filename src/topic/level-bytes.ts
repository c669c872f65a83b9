/** A node of a tree by level, as measured. */
const LEVEL_BYTES = 80;
/** Ordinary topics have no more levels, and share most of them. */
const ORDINARY_LEVELS = 8;

/**
 * Memory that a Topic Name or Topic Filter takes in a tree by its levels beyond the ordinary number
 * of them. Two characters make a level, so that a limit of characters alone bounds no tree.
 */
export function deepLevelBytes(topic: string): number {
  let levels = 1;
  for (let at = topic.indexOf('/'); at >= 0; at = topic.indexOf('/', at + 1)) levels++;
  return levels <= ORDINARY_LEVELS ? 0 : (levels - ORDINARY_LEVELS) * LEVEL_BYTES;
}
