/**
 * The children of a node of a tree of levels: none, one node, or a Map of several. Most nodes of
 * deep trees have one child, and a Map for it would be the largest part of the tree. A Map stays a
 * Map until it is empty, so that walks over it survive changes.
 */
export type Children<N extends LevelNode> = Map<string, N> | N | undefined;

export interface LevelNode {
  readonly level: string;
}

export function childAt<N extends LevelNode>(children: Children<N>, level: string): N | undefined {
  if (children === undefined) return undefined;
  if (children instanceof Map) return children.get(level);
  return children.level === level ? children : undefined;
}

/** The children with one more, whose level is not among them. */
export function withChild<N extends LevelNode>(children: Children<N>, child: N): Children<N> {
  if (children === undefined) return child;
  if (children instanceof Map) return children.set(child.level, child);
  return new Map<string, N>([
    [children.level, children],
    [child.level, child],
  ]);
}

/** The children without this one, which is among them. */
export function withoutChild<N extends LevelNode>(children: Children<N>, child: N): Children<N> {
  if (!(children instanceof Map)) return undefined;
  children.delete(child.level);
  return children.size === 0 ? undefined : children;
}
