/** Something that will happen at a virtual time. */
export interface SimEvent {
  readonly atMs: number;
  readonly tie: number;
  readonly sequence: number;
  readonly label: string;
  readonly run: () => void | Promise<void>;
  cancelled: boolean;
}

/** Events by virtual time, then by a seeded tie-break, then in the order they were added. */
export class EventQueue {
  readonly #heap: SimEvent[] = [];

  get length(): number {
    return this.#heap.length;
  }

  /** The next event that was not cancelled. */
  peek(): SimEvent | undefined {
    while (this.#heap[0]?.cancelled === true) this.#removeFirst();
    return this.#heap[0];
  }

  pop(): SimEvent | undefined {
    const first = this.peek();
    if (first !== undefined) this.#removeFirst();
    return first;
  }

  push(event: SimEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(one: SimEvent, other: SimEvent): boolean {
  if (one.atMs !== other.atMs) return one.atMs < other.atMs;
  if (one.tie !== other.tie) return one.tie < other.tie;
  return one.sequence < other.sequence;
}
