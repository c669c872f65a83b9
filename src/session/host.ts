import type { Auth, Connect, Subscribe, Unsubscribe } from '../wire/control-packet.js';
import type { Publish } from '../wire/publish.js';
import type { ReasonCode } from '../wire/reason-code.js';
import type { Connection } from './connection.js';
import type { Topic } from './topic.js';

/** Why a connection ended: decides whether the will is published, and what the log says. */
export interface DisconnectCause {
  readonly kind:
    | 'client-disconnect'
    | 'client-disconnect-with-will'
    | 'protocol-violation'
    | 'keep-alive-timeout'
    | 'network'
    | 'taken-over'
    | 'server-shutdown'
    | 'administrative'
    | 'authentication';
  readonly reasonCode: ReasonCode;
  /** In plain words, for the log. */
  readonly sentence: string;
  /** One of many that the log already tells of. */
  readonly isRepeated?: boolean;
}

/**
 * A decision that may have to wait for something outside: the connection stops reading meanwhile.
 */
export type Decision<T> = T | Promise<T>;

/**
 * What a Connection needs of the broker. Reason codes of 0x80 and above are refusals: returned,
 * never thrown. Where a call makes something durable, `ticket` is then the batch to wait for, else
 * 0.
 */
export interface Host {
  /** Of the call just made: acknowledge once this batch is durable; 0 is at once. */
  readonly ticket: number;
  /** Answers through `connection.accept`, `connection.refuse` or `connection.challenge`. */
  connect(connection: Connection, connect: Connect): void;
  authenticate(connection: Connection, auth: Auth): void;
  /** The interned Topic Name, or undefined when the bytes are no valid one. Likely: a guess. */
  topic(bytes: Uint8Array, start: number, end: number, likely?: Topic): Topic | undefined;
  authorizePublish(connection: Connection, publish: Publish, topic: Topic): Decision<ReasonCode>;
  publish(connection: Connection, publish: Publish, topic: Topic): ReasonCode;
  /** One reason code for each filter, for `subscribe`. */
  authorizeSubscribe(connection: Connection, subscribe: Subscribe): Decision<readonly ReasonCode[]>;
  subscribe(
    connection: Connection,
    subscribe: Subscribe,
    authorizations: readonly ReasonCode[],
  ): readonly ReasonCode[];
  /** The connection's socket takes bytes again. */
  roomAgain(connection: Connection): void;
  /** SUBACK has been sent (or queued to be): retained messages may follow. */
  subscribed(connection: Connection): void;
  unsubscribe(connection: Connection, unsubscribe: Unsubscribe): readonly ReasonCode[];
  /** The connection is over; called once, whatever the state it was in. */
  disconnected(connection: Connection, cause: DisconnectCause): void;
}
