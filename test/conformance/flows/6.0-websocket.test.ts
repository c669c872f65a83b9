import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Broker } from '../../../src/broker/broker.js';
import { defaultListenerPolicy } from '../../../src/session/limits.js';
import type { Listener } from '../../../src/transport/listener.js';
import { listenWebSocket } from '../../../src/transport/websocket-listener.js';
import { startBroker } from '../harness/broker-under-test.js';
import { Inbox } from '../harness/harness.js';
import { HexPattern, type Version } from '../harness/hex-pattern.js';
import { endTurnsInTheEventLoop } from '../harness/socket-harness.js';
import { VirtualTime } from '../harness/virtual-time.js';

const CONNECT = "10 ## {protocol} 02 0000 [5:00] s'web'";
const SUBSCRIBE = "82 ## 0001 [5:00] s't' 00";
const PUBLISH = "30 ## s't' [5:00] 'x'";

let broker: Broker;
let listener: Listener;

beforeEach(async () => {
  const time = new VirtualTime();
  broker = await startBroker(time, {});
  endTurnsInTheEventLoop(time);
  listener = await listenWebSocket({
    address: { scheme: 'ws', host: '127.0.0.1', port: 0, path: '/mqtt' },
    onFault: (sentence) => {
      throw new Error(sentence);
    },
    messageBytesMax: 1_000_000,
    origins: undefined,
    ready: () => true,
  });
  listener.start((network) => broker.accept(network, defaultListenerPolicy));
});

afterEach(async () => {
  await listener.stopAccepting();
  listener.destroyConnections();
});

/** A WebSocket client whose received frames join into one stream of bytes. */
class WebClient {
  readonly inbox: Inbox = new Inbox();
  readonly socket: WebSocket;
  readonly closed: Promise<void>;
  readonly #version: Version;
  textFrames = 0;

  private constructor(version: Version, subprotocols: string[]) {
    this.#version = version;
    this.socket = new WebSocket(listener.url, subprotocols);
    this.socket.on('message', (data, isBinary) => {
      if (!isBinary) this.textFrames++;
      this.inbox.add(data as Buffer);
    });
    this.closed = new Promise((resolve) => {
      this.socket.once('close', () => resolve());
    });
  }

  static async open(version: Version, subprotocols: string[] = ['mqtt']): Promise<WebClient> {
    const client = new WebClient(version, subprotocols);
    await new Promise((resolve, reject) => {
      client.socket.once('open', resolve);
      client.socket.once('error', reject);
    });
    return client;
  }

  bytes(text: string): Uint8Array {
    return new HexPattern(text, this.#version).bytes(new Map());
  }

  async type(): Promise<number> {
    while (this.inbox.packetLength() === undefined) {
      await new Promise((resolve) => {
        this.socket.once('message', resolve);
      });
    }
    return this.inbox.take(this.inbox.packetLength()!)[0]! >> 4;
  }
}

const versions: readonly Version[] = [4, 5];

// [3.1.1 MQTT-6.0.0-4] [5.0 MQTT-6.0.0-4] [3.1.1 MQTT-7.1.1-1] [5.0 MQTT-4.2-1]
test.each(versions)('level %i: the server answers with the subprotocol mqtt', async (version) => {
  const client = await WebClient.open(version, ['other', 'mqtt']);
  expect(client.socket.protocol).toBe('mqtt');
});

// [3.1.1 MQTT-6.0.0-3] [5.0 MQTT-6.0.0-3]
test.each(versions)(
  'level %i: a client that does not offer mqtt is not let in',
  async (version) => {
    await expect(WebClient.open(version, ['other'])).rejects.toThrow();
  },
);

// [3.1.1 MQTT-6.0.0-1] [5.0 MQTT-6.0.0-1]
test.each(versions)('level %i: packets come in binary frames', async (version) => {
  const client = await WebClient.open(version);
  client.socket.send(client.bytes(`${CONNECT} | ${SUBSCRIBE} | ${PUBLISH}`));
  expect([await client.type(), await client.type(), await client.type()]).toEqual([2, 9, 3]);
  expect(client.textFrames).toBe(0);
});

// [3.1.1 MQTT-6.0.0-1] [5.0 MQTT-6.0.0-1]
test.each(versions)('level %i: a text frame closes the connection', async (version) => {
  const client = await WebClient.open(version);
  client.socket.send(client.bytes(CONNECT));
  expect(await client.type()).toBe(2);
  client.socket.send('a text frame');
  await client.closed;
  expect(client.inbox.length === 0 || (await client.type()) === 14).toBe(true);
});

// [3.1.1 MQTT-6.0.0-1] [5.0 MQTT-6.0.0-1]
test.each(versions)('level %i: a text frame in place of CONNECT', async (version) => {
  const client = await WebClient.open(version);
  client.socket.send(Buffer.from(client.bytes(CONNECT)), { binary: false });
  await client.closed;
  expect(client.inbox.length).toBe(0);
});

// [3.1.1 MQTT-6.0.0-2] [5.0 MQTT-6.0.0-2]
test.each(versions)('level %i: one byte in each frame', async (version) => {
  const client = await WebClient.open(version);
  for (const byte of client.bytes(`${CONNECT} | ${SUBSCRIBE} | ${PUBLISH} | c0 00`)) {
    client.socket.send(Uint8Array.of(byte));
  }
  const types = [
    await client.type(),
    await client.type(),
    await client.type(),
    await client.type(),
  ];
  expect(types[0]).toBe(2);
  expect(types.slice(1).sort()).toEqual([13, 3, 9]);
});

// [3.1.1 MQTT-6.0.0-2] [5.0 MQTT-6.0.0-2]
test.each(versions)('level %i: frames that begin and end inside packets', async (version) => {
  const client = await WebClient.open(version);
  const bytes = client.bytes(`${CONNECT} | c0 00 | c0 00 | ${SUBSCRIBE}`);
  for (let at = 0; at < bytes.length; at += 7) client.socket.send(bytes.subarray(at, at + 7));
  const types = [
    await client.type(),
    await client.type(),
    await client.type(),
    await client.type(),
  ];
  expect(types).toEqual([2, 13, 13, 9]);
});
