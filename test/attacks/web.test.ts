import { setTimeout as delay } from 'node:timers/promises';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AttackedBroker } from './attacked-broker.js';
import { connectBytes, inWaves, Stranger } from './stranger.js';

const WEB = 1;
const GOOD_PAGE = 'https://home.example';

let broker: AttackedBroker;
beforeAll(async () => {
  const limits = { connect_seconds_max: 2 };
  const listen = [{ url: 'ws://127.0.0.1:0/mqtt', origins: [GOOD_PAGE], limits }];
  broker = await AttackedBroker.start(listen);
});
afterAll(() => broker.stop());

function request(path: string, more: readonly string[] = [], subprotocol = 'mqtt'): string {
  return [
    `GET ${path} HTTP/1.1`,
    'Host: broker.example',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    `Sec-WebSocket-Protocol: ${subprotocol}`,
    ...more,
    '',
    '',
  ].join('\r\n');
}

/** What the broker answers to this request, until it ends the connection or upgrades it. */
async function answerTo(text: string): Promise<string> {
  const stranger = await Stranger.open(broker.port(WEB));
  await stranger.say(text);
  await Promise.race([stranger.hears(12), stranger.closed]);
  stranger.leave();
  return stranger.received.toString().split('\r\n')[0]!;
}

test.each([
  ['another path', request('/admin')],
  ['a path traversal', request('/mqtt/../../etc/passwd')],
  ['an encoded path traversal', request('/mqtt/..%2f..%2fetc/passwd')],
  ['an absolute address', request('http://elsewhere.example/mqtt')],
  ['another subprotocol', request('/mqtt', [], 'soap')],
  ['no subprotocol', request('/mqtt', [], '')],
  ['a page of another origin', request('/mqtt', ['Origin: https://evil.example'])],
  ['an origin that begins like a good one', request('/mqtt', [`Origin: ${GOOD_PAGE}.evil.test`])],
  ['the origin null', request('/mqtt', ['Origin: null'])],
  ['an origin of 10,000 characters', request('/mqtt', [`Origin: https://${'a'.repeat(10_000)}`])],
])('an upgrade with %s', async (_, text) => {
  const attack = async (): Promise<void> => {
    const answer = await answerTo(text);
    expect(answer).toMatch(/^HTTP\/1\.1 40[034]/);
  };
  const fields = { address: /^127\.0\.1\./ };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'upgrade_refused', fields });
});

test('the page that is let in', async () => {
  expect(await answerTo(request('/mqtt', [`Origin: ${GOOD_PAGE}`]))).toContain('101');
});

test.each([
  ['a wrong version', request('/mqtt').replace('Version: 13', 'Version: 12')],
  ['a key that is none', request('/mqtt').replace('dGhlIHNhbXBsZSBub25jZQ==', 'short')],
  ['another protocol', request('/mqtt').replace('Upgrade: websocket', 'Upgrade: h2c')],
  ['100 KB of headers', request('/mqtt', [`X-Long: ${'a'.repeat(100_000)}`])],
  [
    '5000 headers',
    request(
      '/mqtt',
      Array.from({ length: 5000 }, (_, i) => `X-${i}: a`),
    ),
  ],
  ['a length and chunks', request('/mqtt', ['Content-Length: 5', 'Transfer-Encoding: chunked'])],
  ['no HTTP at all', '\x16\x03\x01\r\n\r\n'],
])('HTTP with %s', async (_, text) => {
  const attack = async (): Promise<void> => {
    expect(await answerTo(text)).toMatch(/^HTTP\/1\.1 4\d\d/);
  };
  const fields = { address: /^127\.0\.1\./ };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'upgrade_refused', fields });
});

const FIN = 0x80;
const MASKED = 0x80;
const RSV1 = 0x40;
const CONTINUATION = 0;
const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;

/** The mask is 0, so that the payload is what it is. */
function frame(first: number, payload: Uint8Array, masked = MASKED): Buffer {
  const { length } = payload;
  const head = Buffer.from([first, masked | Math.min(length, 126)]);
  const more = Buffer.alloc(length < 126 ? 0 : 2);
  if (more.length > 0) more.writeUInt16BE(length);
  return Buffer.concat([head, more, Buffer.alloc(masked > 0 ? 4 : 0), payload]);
}

const connect = connectBytes({ clientId: 'from-the-web' });
const close = frame(FIN | CLOSE, Buffer.from([0x03, 0xe8]));
const bomb = deflateRawSync(Buffer.alloc(20_000_000));

test.each<[string, Buffer, RegExp]>([
  ['a text frame', Buffer.concat([frame(FIN | TEXT, connect), close]), /text frame/],
  ['a frame without mask', frame(FIN | BINARY, connect, 0), /MASK/],
  ['a control frame in fragments', frame(PING, connect), /FIN/],
  ['a long control frame', frame(FIN | PING, Buffer.alloc(1000)), /payload length/],
  ['a compression bomb', frame(FIN | RSV1 | BINARY, bomb.subarray(0, 60_000)), /RSV1/],
  ['a continuation of nothing', frame(FIN | CONTINUATION, connect), /opcode/],
  ['a frame of 2^63 bytes', Buffer.from('82ff7fffffffffffffff00000000', 'hex'), /payload/],
  ['opcode 3', frame(FIN | 3, connect), /opcode/],
])('%s', async (_, bytes, msg) => {
  const attack = (): Promise<void> =>
    inWaves(20, 20, async () => {
      const stranger = await Stranger.open(broker.port(WEB));
      await stranger.say(request('/mqtt'));
      await stranger.hears(12);
      await stranger.say(bytes);
      await stranger.closed;
    });
  await broker.withstands(attack, { growthMiBMax: 192, event: 'refused', fields: { msg } });
});

test('a million fragments of one byte', async () => {
  const one = frame(CONTINUATION, Buffer.alloc(1));
  const attack = async (): Promise<void> => {
    const stranger = await Stranger.open(broker.port(WEB));
    await stranger.say(request('/mqtt'));
    await stranger.hears(12);
    await stranger.say(frame(BINARY, connect.subarray(0, 1)));
    const many = Buffer.alloc(one.length * 10_000, one);
    for (let i = 0; i < 100 && !stranger.isClosed; i++) await stranger.say(many);
    await stranger.closed;
  };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'refused' });
});

test('1000 requests for an upgrade that trickle', async () => {
  const strangers: Stranger[] = [];
  const attack = async (): Promise<void> => {
    await inWaves(1000, 100, async () => {
      const stranger = await Stranger.open(broker.port(WEB));
      await stranger.say('GET /mqtt HTTP/1.1\r\n');
      strangers.push(stranger);
    });
    for (let i = 0; i < 4; i++) {
      for (const stranger of strangers) await stranger.say(`X-${i}: a\r\n`);
      await delay(100);
    }
    for (const stranger of strangers) stranger.leave();
  };
  await broker.withstands(attack, { growthMiBMax: 192 });
});
