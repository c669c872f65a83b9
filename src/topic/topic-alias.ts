/** Topic Aliases that a peer has set (section 3.3.2.3.4). Unused ones cost nothing. */
export class InboundTopicAliases<T> {
  readonly maximum: number;
  #values: (T | undefined)[] | undefined = undefined;

  constructor(maximum: number) {
    this.maximum = maximum;
  }

  /**
   * False when the alias is 0 or above the maximum, and nothing is set. [MQTT-3.3.2-8]
   * [MQTT-3.3.2-9]
   */
  set(alias: number, value: T): boolean {
    if (alias < 1 || alias > this.maximum) return false;
    this.#values ??= [];
    while (this.#values.length < alias) this.#values.push(undefined);
    this.#values[alias - 1] = value;
    return true;
  }

  /** Undefined when it was not set. */
  get(alias: number): T | undefined {
    return this.#values?.[alias - 1];
  }
}

/** An alias of ours; the same object each time, so read it before the next `assign`. */
export interface AssignedTopicAlias {
  readonly alias: number;
  /** The peer does not know it yet: the Topic Name must be sent with it. */
  readonly isNew: boolean;
}

class AliasNode<K> implements AssignedTopicAlias {
  readonly alias: number;
  key: K;
  isNew = true;
  /** Whether an assignment of this name has been handed out and not taken back. */
  isTold = false;
  usedAt = 0;
  /** Neighbours in order of use. */
  newer: AliasNode<K> | undefined = undefined;
  older: AliasNode<K> | undefined = undefined;

  constructor(alias: number, key: K) {
    this.alias = alias;
    this.key = key;
  }
}

/** An alias is taken from its name after this many assignments, times the maximum, without use. */
const IDLE_ROUNDS = 4;

/**
 * Topic Aliases that we set towards a peer. The first names get one; later the least recently used
 * is given to another name, but only if it has been idle for long: with more names in turn than
 * aliases, taking the oldest each time would send every name in full, and an alias on top.
 */
export class OutboundTopicAliases<K> {
  readonly maximum: number;
  #nodes: Map<K, AliasNode<K>> | undefined = undefined;
  #newest: AliasNode<K> | undefined = undefined;
  #oldest: AliasNode<K> | undefined = undefined;
  #assignments = 0;

  constructor(maximum: number) {
    this.maximum = maximum;
  }

  /** The alias to send for this name, or 0 when there is none to spare. */
  assign(key: K): AssignedTopicAlias | 0 {
    if (this.maximum === 0) return 0;
    this.#nodes ??= new Map();
    this.#assignments++;
    const node = this.#nodes.get(key) ?? this.#give(key, this.#nodes);
    if (node === undefined) return 0;
    node.isNew = !node.isTold;
    node.isTold = true;
    node.usedAt = this.#assignments;
    this.#makeNewest(node);
    return node;
  }

  /**
   * To be called when the packet that should tell the peer was not sent: the alias is new once
   * more.
   */
  notTold(key: K): void {
    const node = this.#nodes?.get(key);
    if (node !== undefined) node.isTold = false;
  }

  #give(key: K, nodes: Map<K, AliasNode<K>>): AliasNode<K> | undefined {
    let node: AliasNode<K>;
    if (nodes.size < this.maximum) {
      node = new AliasNode(nodes.size + 1, key);
    } else {
      node = this.#oldest!;
      if (this.#assignments - node.usedAt <= IDLE_ROUNDS * this.maximum) return undefined;
      nodes.delete(node.key);
      node.key = key;
      node.isTold = false;
    }
    nodes.set(key, node);
    return node;
  }

  #makeNewest(node: AliasNode<K>): void {
    if (this.#newest === node) return;
    if (node.newer !== undefined) node.newer.older = node.older;
    if (node.older !== undefined) node.older.newer = node.newer;
    if (this.#oldest === node) this.#oldest = node.newer;
    node.newer = undefined;
    node.older = this.#newest;
    if (this.#newest !== undefined) this.#newest.newer = node;
    this.#newest = node;
    this.#oldest ??= node;
  }
}
