import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, test } from 'vitest';
import { AttackedBroker } from './attacked-broker.js';
import { bytesOf, connectBytes, inWaves, letIn, publishBytes, Stranger } from './stranger.js';

const MIB = 1_048_576;
const PLAIN = { retain: false, dup: false } as const;

let broker: AttackedBroker;
beforeAll(async () => {
  broker = await AttackedBroker.start();
});
afterAll(() => broker.stop());

test('a CONNECT that claims 268,435,455 bytes', async () => {
  const attack = (): Promise<void> =>
    inWaves(200, 50, async () => {
      const stranger = await Stranger.open(broker.port(0));
      await stranger.say(Uint8Array.of(0x10, 0xff, 0xff, 0xff, 0x7f));
      await stranger.closed;
    });
  const fields = { reason: 'protocol-violation', code: 0x95 };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'refused', fields });
});

test('100 packets of 8 MiB that are claimed and trickle', async () => {
  const claimed = 8 * MIB - 16;
  const header = Uint8Array.of(
    0x30,
    (claimed & 0x7f) | 0x80,
    ((claimed >> 7) & 0x7f) | 0x80,
    ((claimed >> 14) & 0x7f) | 0x80,
    claimed >> 21,
  );
  const strangers: Stranger[] = [];
  const attack = async (): Promise<void> => {
    await inWaves(100, 50, async (i) => {
      const stranger = await letIn(broker.port(0), { clientId: `claims-${i}`, keepalive: 1 });
      await stranger.say(header);
      strangers.push(stranger);
    });
    for (let pieces = 0; pieces < 15; pieces++) {
      for (const stranger of strangers) await stranger.say(Buffer.alloc(1024, 'a'));
      await delay(100);
    }
    // And now nothing: the Keep Alive ends them.
    await Promise.all(strangers.map(({ closed }) => closed));
  };
  const fields = { client: /^claims-/, reason: 'keep-alive-timeout' };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'disconnected', fields });
});

test('a Topic Name of 65,535 levels', async () => {
  const attack = async (): Promise<void> => {
    const stranger = await letIn(broker.port(0), { clientId: 'deep-publisher' });
    await stranger.say(publishBytes('/'.repeat(65_534), 'x'));
    await stranger.closed;
  };
  const fields = { client: 'deep-publisher', reason: 'protocol-violation' };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'disconnected', fields });
});

test.each([
  ['PUBLISH', 0x30, [0, 4, ...Buffer.from('many')], []],
  ['SUBSCRIBE', 0x82, [0, 1], [0, 1, 0x61, 0]],
])('a million User Properties, in pieces, in %s', async (name, first, before, behind) => {
  const property = Buffer.from('2600016100016b', 'hex');
  const properties = Buffer.alloc(property.length * 1_000_000, property);
  const length = variable(properties.length);
  const body = Buffer.concat([Buffer.from(before), length, properties, Buffer.from(behind)]);
  const packet = Buffer.concat([Buffer.from([first]), variable(body.length), body]);
  const clientId = `many-${name}`;
  const attack = async (): Promise<void> => {
    const stranger = await letIn(broker.port(0), { version: 5, clientId });
    for (let at = 0; at < packet.length; at += 16_384) {
      await stranger.say(packet.subarray(at, at + 16_384));
    }
    await stranger.closed;
  };
  const fields = { client: clientId, code: 0x97 };
  await broker.withstands(attack, { growthMiBMax: 256, event: 'disconnected', fields });
});

test('a CONNECT with 6 MB of User Properties', async () => {
  const properties = Buffer.alloc(6_000_000, Buffer.from('2600016100016b', 'hex'));
  const body = Buffer.concat([
    Buffer.from('00044d51545405020000', 'hex'),
    variable(properties.length),
    properties,
    Buffer.from([0, 0]),
  ]);
  const attack = async (): Promise<void> => {
    const stranger = await Stranger.open(broker.port(0));
    await stranger.say(Buffer.concat([Buffer.from([0x10]), variable(body.length), body]));
    await stranger.closed;
  };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'refused' });
});

test('all Packet Identifiers of QoS 2 without PUBREL', async () => {
  const attack = async (): Promise<void> => {
    const stranger = await letIn(broker.port(0), { version: 5, clientId: 'never-releases' });
    for (let messageId = 1; messageId <= 65_535 && !stranger.isClosed; messageId++) {
      const packet = { cmd: 'publish', topic: 'a', payload: 'b', qos: 2, messageId } as const;
      await stranger.say(bytesOf({ ...packet, ...PLAIN }, 5));
    }
    await stranger.closed;
  };
  const fields = { client: 'never-releases', code: 0x93 };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'disconnected', fields });
});

test.each([
  ['0', 0, 'x'],
  ['beyond the maximum', 65_535, 'x'],
  ['nobody has set', 7, ''],
])('a Topic Alias that is %s, 200 times', async (_, alias, topic) => {
  const attack = (): Promise<void> =>
    inWaves(200, 50, async (i) => {
      const stranger = await letIn(broker.port(0), { version: 5, clientId: `alias-${alias}-${i}` });
      const value = Buffer.from([0x23, alias >> 8, alias & 0xff]);
      const name = Buffer.from([0, topic.length, ...Buffer.from(topic)]);
      const body = Buffer.concat([name, variable(value.length), value]);
      await stranger.say(Buffer.concat([Buffer.from([0x30]), variable(body.length), body]));
      await stranger.closed;
    });
  const fields = { client: new RegExp(`^alias-${alias}-`), reason: 'protocol-violation' };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'disconnected', fields });
});

test('malformed packets: every byte of a conversation, changed in turn', async () => {
  const subscriptions = [{ topic: 'a/+', qos: 2 as const }];
  const properties = { userProperties: { a: 'b' }, contentType: 'text' };
  const will = { topic: 'w', payload: Buffer.from('w'), qos: 1 as const, retain: false };
  const publish = { cmd: 'publish', topic: 'a/b', payload: 'hello', ...PLAIN } as const;
  const said = Buffer.concat([
    connectBytes({ version: 5, clientId: 'm', username: 'u', will }),
    bytesOf({ cmd: 'subscribe', messageId: 1, subscriptions }, 5),
    bytesOf({ ...publish, qos: 2, messageId: 2, properties }, 5),
    bytesOf({ cmd: 'pubrel', messageId: 2 }, 5),
    bytesOf({ cmd: 'pingreq' }, 5),
    bytesOf({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['a/+'] }, 5),
    bytesOf({ cmd: 'disconnect' }, 5),
  ]);
  const changes = [0x00, 0xff, 0x80];
  const attack = (): Promise<void> =>
    inWaves(said.length * changes.length, 30, async (i) => {
      const changed = Buffer.from(said);
      changed[i % said.length]! ^= changes[Math.floor(i / said.length)]! || 0x01;
      const stranger = await Stranger.open(broker.port(0));
      await stranger.say(changed);
      stranger.socket.end();
      await stranger.closed;
    });
  const fields = { reason: 'protocol-violation' };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'refused', fields });
});

function variable(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
}
