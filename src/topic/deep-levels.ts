/** Ordinary topics have no more levels, and share most of them. */
const ORDINARY_LEVELS = 8;

/**
 * Levels of a Topic Name or Topic Filter beyond the ordinary number of them. Each is a node of a
 * tree, and two characters make one: so a limit of characters alone bounds no tree.
 */
export function deepLevels(topic: string): number {
  let levels = 1;
  for (let at = topic.indexOf('/'); at >= 0; at = topic.indexOf('/', at + 1)) levels++;
  return Math.max(0, levels - ORDINARY_LEVELS);
}
