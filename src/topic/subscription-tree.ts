import { type Children, childAt, withChild, withoutChild } from './children.js';
import { hasWildcards } from './topic-filter.js';
import { topicLevels } from './topic-name.js';
import { countValues, type Values, visitValues, withoutValue, withValue } from './values.js';

class FilterNode<T> {
  readonly level: string;
  children: Children<FilterNode<T>> = undefined;
  /** The child under `+`. */
  single: FilterNode<T> | undefined = undefined;
  /** Values of the filter that ends here. */
  values: Values<T> | undefined = undefined;
  /** Values of the filter that ends here with `/#`. */
  multi: Values<T> | undefined = undefined;

  constructor(level: string) {
    this.level = level;
  }

  get isEmpty(): boolean {
    return (
      this.children === undefined &&
      this.single === undefined &&
      this.values === undefined &&
      this.multi === undefined
    );
  }
}

/**
 * Who subscribes to what. Filters without wildcards are the keys of one Map; only those with
 * wildcards form a trie by level:
 *
 *   root ─ "a" ─┬ "+" ─ "c"      a/+/c     values at "c"
 *               └ "b"            a/b/#     multi at "b": it matches "a/b" and all below
 *
 * Filters are valid and without `$share/{ShareName}/`; no value is undefined.
 */
export class SubscriptionTree<T> {
  readonly #exact = new Map<string, Values<T>>();
  readonly #root = new FilterNode<T>('');
  #size = 0;

  /** Number of different pairs of filter and value. */
  get size(): number {
    return this.#size;
  }

  /** Whether it holds nothing, not even a node: what remains when all was removed. */
  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#root.isEmpty;
  }

  /** The same pair counts once. */
  insert(topicFilter: string, value: T): void {
    if (hasWildcards(topicFilter)) {
      this.#insertWildcard(topicFilter, value);
      return;
    }
    const values = this.#exact.get(topicFilter);
    this.#exact.set(topicFilter, this.#added(values, value));
  }

  /** False when the pair was not there. */
  remove(topicFilter: string, value: T): boolean {
    const sizeBefore = this.#size;
    if (hasWildcards(topicFilter)) {
      this.#removeWildcard(topicFilter, value);
    } else {
      const values = this.#removed(this.#exact.get(topicFilter), value);
      if (values === undefined) this.#exact.delete(topicFilter);
    }
    return this.#size < sizeBefore;
  }

  /** Visits the values of all filters that match: a value once for each of its filters. */
  match(topicName: string, visit: (value: T) => void): void {
    visitValues(this.#exact.get(topicName), visit);
    if (!this.#root.isEmpty) this.#matchWildcards(topicName, visit);
  }

  /** Level by level with all nodes reached so far, so that depth costs no stack. */
  #matchWildcards(topicName: string, visit: (value: T) => void): void {
    let reached = [this.#root];
    let following: FilterNode<T>[] = [];
    let wildcards = !topicName.startsWith('$'); // [MQTT-4.7.2-1]
    let start = 0;
    do {
      const slash = topicName.indexOf('/', start);
      const level = topicName.slice(start, slash < 0 ? topicName.length : slash);
      start = slash + 1;
      for (const node of reached) {
        if (wildcards) {
          if (node.multi !== undefined) visitValues(node.multi, visit);
          if (node.single !== undefined) following.push(node.single);
        }
        const child = childAt(node.children, level);
        if (child !== undefined) following.push(child);
      }
      wildcards = true;
      const done = reached;
      reached = following;
      following = done;
      following.length = 0;
    } while (start > 0 && reached.length > 0);
    for (const node of reached) {
      visitValues(node.values, visit);
      visitValues(node.multi, visit);
    }
  }

  #insertWildcard(topicFilter: string, value: T): void {
    let node = this.#root;
    for (const level of topicLevels(topicFilter)) {
      if (level === '#') {
        node.multi = this.#added(node.multi, value);
        return;
      }
      node = level === '+' ? singleOf(node) : childOf(node, level);
    }
    node.values = this.#added(node.values, value);
  }

  #removeWildcard(topicFilter: string, value: T): void {
    const path = [this.#root];
    for (const level of topicLevels(topicFilter)) {
      const node = path[path.length - 1]!;
      if (level === '#') {
        node.multi = this.#removed(node.multi, value);
        prune(path);
        return;
      }
      const child = level === '+' ? node.single : childAt(node.children, level);
      if (child === undefined) return;
      path.push(child);
    }
    const last = path[path.length - 1]!;
    last.values = this.#removed(last.values, value);
    prune(path);
  }

  #added(values: Values<T> | undefined, value: T): Values<T> {
    const before = countValues(values);
    const after = withValue(values, value);
    this.#size += countValues(after) - before;
    return after;
  }

  #removed(values: Values<T> | undefined, value: T): Values<T> | undefined {
    const before = countValues(values);
    const after = withoutValue(values, value);
    this.#size += countValues(after) - before;
    return after;
  }
}

function singleOf<T>(node: FilterNode<T>): FilterNode<T> {
  node.single ??= new FilterNode<T>('+');
  return node.single;
}

function childOf<T>(node: FilterNode<T>, level: string): FilterNode<T> {
  const known = childAt(node.children, level);
  if (known !== undefined) return known;
  const child = new FilterNode<T>(level);
  node.children = withChild(node.children, child);
  return child;
}

/** Removes the nodes at the end of the path that hold nothing any more. */
function prune<T>(path: readonly FilterNode<T>[]): void {
  for (let i = path.length - 1; i > 0 && path[i]!.isEmpty; i--) {
    const parent = path[i - 1]!;
    if (parent.single === path[i]) parent.single = undefined;
    else parent.children = withoutChild(parent.children, path[i]!);
  }
}
