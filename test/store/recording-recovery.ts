import type {
  DeviceRecord,
  Recovery,
  SessionRecord,
  StoredSubscription,
} from '../../src/broker/store.js';
import type { QueuePosition } from '../../src/session/session-store.js';
import type { ApplicationMessage } from '../../src/wire/application-message.js';

/** Writes down what recovery tells. */
export class RecordingRecovery implements Recovery {
  readonly sessions: SessionRecord[] = [];
  readonly queues: Map<number, QueuePosition> = new Map();
  readonly subscriptions: [sessionNumber: number, StoredSubscription][] = [];
  readonly exchanges: [number, number, number, boolean][] = [];
  readonly receivedIdentifiers: [sessionNumber: number, packetIdentifier: number][] = [];
  readonly retainedMessages: ApplicationMessage[] = [];

  readonly devices: DeviceRecord[] = [];

  device(record: DeviceRecord): void {
    this.devices.push(record);
  }

  session(record: SessionRecord, queue: Omit<QueuePosition, 'sessionNumber'>): void {
    this.sessions.push(record);
    this.queues.set(record.sessionNumber, { sessionNumber: record.sessionNumber, ...queue });
  }

  subscription(sessionNumber: number, subscription: StoredSubscription): void {
    this.subscriptions.push([sessionNumber, subscription]);
  }

  exchange(number: number, packetIdentifier: number, sequence: number, released: boolean): void {
    this.exchanges.push([number, packetIdentifier, sequence, released]);
  }

  received(sessionNumber: number, packetIdentifier: number): void {
    this.receivedIdentifiers.push([sessionNumber, packetIdentifier]);
  }

  retained(message: ApplicationMessage): void {
    this.retainedMessages.push(message);
  }
}
