import type { QueuePosition } from '../session/session-store.js';
import type { StoreOperation } from './operation.js';

export type StoredPosition = Omit<QueuePosition, 'sessionNumber' | 'acknowledgeMs'>;

/**
 * Where queues stood before the changes that are left for a later batch; only of those queues in
 * `wanted` that have any. A position that told of what is not written would count what may never
 * come, or begin behind what is still there. What must be written now is never left.
 */
export function earlierPositions(
  wanted: ReadonlySet<QueuePosition>,
  left: readonly StoreOperation[],
): ReadonlyMap<QueuePosition, StoredPosition> {
  const earlier = new Map<QueuePosition, { -readonly [Key in keyof StoredPosition]: number }>();
  const before = (queue: QueuePosition) => {
    const known = earlier.get(queue);
    if (known !== undefined) return known;
    const { headSequence, tailSequence, count, bytes } = queue;
    const position = { headSequence, tailSequence, count, bytes };
    earlier.set(queue, position);
    return position;
  };
  for (const operation of left) {
    if (operation.cancelled) continue;
    const { kind } = operation;
    if (kind === 'queue-put') {
      if (!wanted.has(operation.queue)) continue;
      // The tail stays: a sequence that is never used does no harm.
      const position = before(operation.queue);
      position.count--;
      position.bytes -= operation.message!.bytes;
    } else if (kind === 'queue-removal') {
      const { queue, sequence } = operation.put;
      if (!wanted.has(queue)) continue;
      const position = before(queue);
      position.headSequence = Math.min(position.headSequence, sequence);
      position.count += operation.count;
      position.bytes += operation.bytes;
    } else if (kind === 'exchange-removal' && wanted.has(operation.queue)) {
      before(operation.queue).count += operation.count;
    }
  }
  return earlier;
}
