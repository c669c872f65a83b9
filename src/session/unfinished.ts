import { type Delivery, DeliveryState } from './delivery.js';
import type { OutboundFlow } from './outbound-flow.js';

/** Every delivery that no client has finished: in flight, then waiting in memory. */
export function* unfinished(outbound: OutboundFlow): Iterable<Delivery> {
  for (const delivery of outbound.deliveriesInFlight()) {
    if (delivery.state === DeliveryState.InFlight) yield delivery;
  }
  yield* outbound.queue;
}
