import type { Devices } from './devices/devices.js';
import type { RetainedMessages } from './retained.js';
import type { SessionRegistry } from './session-registry.js';
import type { Recovery } from './store.js';
import type { SubscribePath } from './subscribe-path.js';

/** Puts what a store held into the broker; what belongs to no Session is left aside. */
export function newRecovery(
  sessions: SessionRegistry,
  subscribePath: SubscribePath,
  retained: RetainedMessages,
  devices: Devices,
): Recovery {
  return {
    session: (record, queue) => sessions.restore(record, queue),
    subscription: (sessionNumber, subscription) => {
      const session = sessions.byNumber(sessionNumber);
      if (session !== undefined) subscribePath.restore(session, subscription);
    },
    exchange: (sessionNumber, packetIdentifier, sequence, released) => {
      const session = sessions.byNumber(sessionNumber);
      const exchange = { packetIdentifier, sequence, released, holdTicket: 0 };
      session?.outbound.queue.restoreExchange(exchange);
    },
    received: (sessionNumber, packetIdentifier) => {
      sessions.byNumber(sessionNumber)?.markReceived(packetIdentifier);
    },
    retained: (message) => retained.restore(message),
    device: (record) => devices.restore(record),
  };
}
