import type { Clock, EndOfTick, Timers } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Connack } from '../wire/control-packet.js';
import type { Publish } from '../wire/publish.js';
import type { BufferPool } from './buffer-pool.js';
import type { Connection } from './connection.js';
import type { Host } from './host.js';
import type { Limits } from './limits.js';
import type { Pace } from './paced-network.js';
import type { Session } from './session.js';
import type { SessionStore } from './session-store.js';
import type { Statistics } from './statistics.js';

/** Whoever looks whether clients receive what is written to them. */
export interface ReaderCheck {
  /** More was written to the connection than it is trusted to receive. */
  doubt(connection: Connection): void;
}

/** What all connections of a broker share. */
export interface ConnectionContext {
  readonly host: Host;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly endOfTick: EndOfTick;
  readonly log: Logger;
  readonly limits: Limits;
  readonly statistics: Statistics;
  readonly pool: BufferPool;
  readonly store: SessionStore;
  readonly readers?: ReaderCheck | undefined;
  /** Decoded into again and again: one PUBLISH at a time is on the path. */
  readonly publish: Publish;
}

/** What the broker decided for an accepted client. */
export interface Accepted {
  readonly session: Session;
  readonly connack: Omit<Connack, 'type' | 'reasonCode'>;
  readonly keepAliveSeconds: number;
  /** Longest silence, whatever the Keep Alive; 0 leaves it to that. */
  readonly idleSecondsMax: number;
  readonly receiveMaximum: number;
  /** Nothing larger is sent, whatever its Maximum Packet Size; `UNLIMITED` is as it says. */
  readonly packetBytesMax: number;
  /** For a client that takes one packet at a time. */
  readonly pace: Pace | undefined;
}
