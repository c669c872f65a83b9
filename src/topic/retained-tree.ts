import { type Children, childAt, withChild, withoutChild } from './children.js';
import { hasWildcards } from './topic-filter.js';
import { topicLevels } from './topic-name.js';

/** Nodes that a walk tries in vain before it pauses. */
const TRIED_MAX = 64;

class NameNode<M> {
  readonly level: string;
  readonly parent: NameNode<M> | undefined;
  children: Children<NameNode<M>> = undefined;
  /** The Topic Name that ends here, while it has a message. */
  topicName = '';
  message: M | undefined = undefined;

  constructor(level: string, parent: NameNode<M> | undefined) {
    this.level = level;
    this.parent = parent;
  }
}

/**
 * One message for each Topic Name. A Map finds the node of a name at once; the nodes form a tree by
 * level, which filters with wildcards are matched against:
 *
 *   Map  "a/b" ──────────┐       root ─ "a" ─┬ "b"   ← a/b
 *        "a/c/d" ────┐   └───────────────────┘ "c" ─ "d"   ← a/c/d
 *                    └─────────────────────────────────┘
 */
export class RetainedTree<M> {
  readonly #nodes = new Map<string, NameNode<M>>();
  readonly #root = new NameNode<M>('', undefined);

  /** Number of Topic Names with a message. */
  get size(): number {
    return this.#nodes.size;
  }

  /** Whether it holds nothing, not even a node: what remains when all was deleted. */
  get isEmpty(): boolean {
    return this.#nodes.size === 0 && this.#root.children === undefined;
  }

  get(topicName: string): M | undefined {
    return this.#nodes.get(topicName)?.message;
  }

  /** Returns the message that this one replaces. */
  set(topicName: string, message: M): M | undefined {
    const known = this.#nodes.get(topicName);
    if (known !== undefined) {
      const old = known.message;
      known.message = message;
      return old;
    }
    let node = this.#root;
    for (const level of topicLevels(topicName)) {
      let child = childAt(node.children, level);
      if (child === undefined) {
        child = new NameNode<M>(level, node);
        node.children = withChild(node.children, child);
      }
      node = child;
    }
    node.topicName = topicName;
    node.message = message;
    this.#nodes.set(topicName, node);
    return undefined;
  }

  /** Returns the message that was there. */
  delete(topicName: string): M | undefined {
    const node = this.#nodes.get(topicName);
    if (node === undefined) return undefined;
    this.#nodes.delete(topicName);
    const old = node.message;
    node.message = undefined;
    node.topicName = '';
    prune(node);
    return old;
  }

  /** Visits all messages whose Topic Names match; the tree must not change meanwhile. */
  match(topicFilter: string, visit: (message: M, topicName: string) => void): void {
    if (!hasWildcards(topicFilter)) {
      const message = this.get(topicFilter);
      if (message !== undefined) visit(message, topicFilter);
      return;
    }
    const walk = new Walk(this.#root, topicLevels(topicFilter));
    while (!walk.isDone) {
      const node = walk.next();
      if (node !== undefined) visit(node.message!, node.topicName);
    }
  }

  /**
   * The same piece by piece, at the caller's pace. The tree may change in between: names that have
   * a message all the while come once, with the message they have then; others may come or not.
   * Undefined is a pause: many names were looked at in vain, and there are more.
   */
  *matcher(topicFilter: string): Generator<M | undefined, undefined, undefined> {
    if (!hasWildcards(topicFilter)) {
      const message = this.get(topicFilter);
      if (message !== undefined) yield message;
      return undefined;
    }
    const walk = new Walk(this.#root, topicLevels(topicFilter));
    while (!walk.isDone) {
      const node = walk.next();
      if (node !== undefined || !walk.isDone) yield node?.message;
    }
    return undefined;
  }
}

/** Removes a node that holds nothing any more, and then its parents likewise. */
function prune<M>(from: NameNode<M>): void {
  let node = from;
  while (node.children === undefined && node.message === undefined) {
    const parent = node.parent;
    if (parent === undefined) return;
    parent.children = withoutChild(parent.children, node);
    node = parent;
  }
}

/** Candidates for one level of the filter, not all tried yet. */
interface Step<M> {
  /** One candidate; undefined when there are several or it was tried. */
  only: NameNode<M> | undefined;
  readonly several: Iterator<NameNode<M>> | undefined;
  /** Index of the filter's level. */
  readonly index: number;
}

/**
 * A walk over the nodes that match a filter, with a stack of its own, so that depth does no harm.
 */
class Walk<M> {
  readonly #levels: readonly string[];
  readonly #stack: Step<M>[] = [];

  constructor(root: NameNode<M>, levels: readonly string[]) {
    this.#levels = levels;
    this.#push(root.children, 0);
  }

  /** All nodes have been tried. */
  get isDone(): boolean {
    return this.#stack.length === 0;
  }

  /** The next node with a message, or undefined when none was found for a while. */
  next(): NameNode<M> | undefined {
    for (let tried = 0; tried < TRIED_MAX; tried++) {
      const step = this.#stack[this.#stack.length - 1];
      if (step === undefined) return undefined;
      const node = candidate(step);
      if (node === undefined) {
        this.#stack.pop();
        continue;
      }
      if (step.index === 0 && this.#isHidden(node)) continue; // [MQTT-4.7.2-1]
      if (this.#enter(node, step.index) && node.message !== undefined) return node;
    }
    return undefined;
  }

  /** Goes below a node that matches the level; whether the filter matches the node itself. */
  #enter(node: NameNode<M>, index: number): boolean {
    if (this.#levels[index] === '#') {
      this.#push(node.children, index);
      return true;
    }
    const following = index + 1;
    if (following === this.#levels.length) return true;
    this.#push(node.children, following);
    return this.#levels[following] === '#';
  }

  #push(children: Children<NameNode<M>>, index: number): void {
    if (children === undefined) return;
    const level = this.#levels[index]!;
    if (level !== '+' && level !== '#') {
      const only = childAt(children, level);
      if (only !== undefined) this.#stack.push({ only, several: undefined, index });
    } else if (children instanceof Map) {
      this.#stack.push({ only: undefined, several: children.values(), index });
    } else {
      this.#stack.push({ only: children, several: undefined, index });
    }
  }

  /** Whether the first level is a wildcard and this node, a first level itself, begins with `$`. */
  #isHidden(node: NameNode<M>): boolean {
    if (node.parent!.parent !== undefined || !node.level.startsWith('$')) return false;
    return this.#levels[0] === '+' || this.#levels[0] === '#';
  }
}

function candidate<M>(step: Step<M>): NameNode<M> | undefined {
  if (step.several !== undefined) {
    const result = step.several.next();
    return result.done === true ? undefined : result.value;
  }
  const node = step.only;
  step.only = undefined;
  return node;
}
