import { connect as connectSocket } from 'node:net';
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt';
import { onTestFinished } from 'vitest';
import type { BrokerProcess } from './supervised-process.js';

export const transports = ['tcp', 'websocket'] as const;
export type Transport = (typeof transports)[number];

export const versions = [3, 4, 5] as const;
export type Version = (typeof versions)[number];

const TAKE_MS_MAX = 90_000;

/** An MQTT.js client that is ended with the test. It does not reconnect unless told to. */
export async function connectMqttJs(
  broker: BrokerProcess,
  transport: Transport,
  version: Version,
  options: IClientOptions = {},
): Promise<MqttClient> {
  const url = transport === 'tcp' ? broker.url : broker.webSocketUrl;
  const client = await mqtt.connectAsync(url, {
    protocolVersion: version,
    ...(version === 3 && { protocolId: 'MQIsdp' }),
    reconnectPeriod: 0,
    ...options,
  });
  onTestFinished(async () => {
    await client.endAsync(true);
  });
  return client;
}

/** A client that comes back after its broker was restarted, on whatever port that listens then. */
export function reconnectingMqttJs(
  broker: BrokerProcess,
  version: Version,
  options: IClientOptions,
): MqttClient {
  const client = new mqtt.MqttClient(() => connectSocket(broker.port, '127.0.0.1'), {
    protocolVersion: version,
    ...(version === 3 ? { protocolId: 'MQIsdp' } : { protocolId: 'MQTT' }),
    reconnectPeriod: 50,
    ...options,
  });
  client.on('error', () => {});
  onTestFinished(async () => {
    await client.endAsync(true);
  });
  return client;
}

export interface ReceivedMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly packet: IPublishPacket;
}

/** Everything that came to one client, in order, to be taken in portions. */
export class Inbox {
  readonly messages: ReceivedMessage[] = [];
  #arrived: () => void = () => {};

  constructor(client: MqttClient) {
    client.on('message', (topic, payload, packet) => {
      this.messages.push({ topic, payload, packet });
      this.#arrived();
    });
  }

  async take(count: number): Promise<ReceivedMessage[]> {
    await this.seen(count);
    return this.messages.splice(0, count);
  }

  async takeTexts(count: number): Promise<string[]> {
    return (await this.take(count)).map(({ payload }) => payload.toString());
  }

  /** Waits until so many messages are here, and leaves them here. */
  async seen(count: number): Promise<void> {
    const deadline = performance.now() + TAKE_MS_MAX;
    while (this.messages.length < count) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) {
        throw new Error(`only ${this.messages.length} of ${count} messages came`);
      }
      await this.#next(leftMs);
    }
  }

  #next(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#arrived = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
