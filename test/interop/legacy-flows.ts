/**
 * Small conversations in MQTT 3.1 and 3.1.1, each told as a few facts, so that two brokers can be
 * compared fact by fact. Every flow has its own topics and Client Identifiers.
 */
import type { IPublishPacket, Packet } from 'mqtt-packet';
import {
  type ConnectOptions,
  connectPacketClient,
  openPacketClient,
  PacketClient,
} from '../support/packet-client.js';

export type Facts = Readonly<Record<string, unknown>>;
export type Flow = (port: number) => Promise<Facts>;

type PublishOptions = Partial<Pick<IPublishPacket, 'qos' | 'retain' | 'dup' | 'messageId'>>;

const ANSWER_MS_MAX = 30_000;

async function connected(port: number, options: ConnectOptions = {}): Promise<PacketClient> {
  return (await connectPacketClient(port, options)).client;
}

function publish(
  client: PacketClient,
  topic: string,
  payload: string,
  options: PublishOptions = {},
) {
  const { qos = 0, retain = false, dup = false, messageId = 1 } = options;
  client.send({ cmd: 'publish', topic, payload, qos, retain, dup, messageId });
}

async function subscribe(client: PacketClient, topic: string, qos: 0 | 1 | 2): Promise<unknown> {
  client.send({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic, qos }] });
  return (await client.take('suback')).granted;
}

/** All that comes until a message on the fence topic does, which is published behind the rest. */
async function untilFence(client: PacketClient, fence: string): Promise<string[]> {
  await subscribe(client, fence, 0);
  publish(client, fence, 'fence');
  await client.takeWhere((packet) => isOn(packet, fence), 'fence');
  return client.arrived.splice(0).map(told);
}

function isOn(packet: Packet, topic: string): boolean {
  return packet.cmd === 'publish' && packet.topic === topic;
}

function told(packet: Packet): string {
  if (packet.cmd !== 'publish') return packet.cmd;
  const { topic, payload, qos, retain } = packet;
  return `${topic}=${payload} qos${qos}${retain ? ' retained' : ''}`;
}

/** What the broker does with a client that misbehaved: the packets it sends, and whether it closes. */
async function aftermath(client: PacketClient): Promise<Facts> {
  const patience = new Promise<void>((resolve) => setTimeout(resolve, ANSWER_MS_MAX));
  client.send({ cmd: 'pingreq' });
  const answer = client.takeWhere((packet) => packet.cmd === 'pingresp').catch(() => {});
  await Promise.race([client.closed, answer, patience]);
  const facts = { closed: client.isClosed, packets: client.arrived.map(({ cmd }) => cmd) };
  client.destroy();
  return facts;
}

function returnCode(port: number, options: ConnectOptions): Promise<Facts> {
  return returnCodeFor(openPacketClient(port, options));
}

async function returnCodeFor(client: PacketClient): Promise<Facts> {
  const answer = client.take('connack').then((connack) => connack.returnCode);
  const code = await Promise.race([client.closed.then(() => 'closed without CONNACK'), answer]);
  client.destroy();
  return { returnCode: code };
}

export const flows: Readonly<Record<string, Flow>> = {
  '3.1 connects': (port) =>
    returnCode(port, { protocolId: 'MQIsdp', protocolVersion: 3, clientId: 'legacy' }),

  'empty Client Identifier, Clean Session 1': (port) => returnCode(port, { clientId: '' }),

  'empty Client Identifier, Clean Session 0': async (port) => {
    // mqtt-packet refuses to make this CONNECT: protocol name, level 4, no flags, Keep Alive 0, no id.
    const rude = new PacketClient(port, 4);
    rude.sendBytes(Buffer.from('100c00044d515454040000000000', 'hex'));
    return returnCodeFor(rude);
  },

  'Client Identifier with a slash and 100 letters': (port) =>
    returnCode(port, { clientId: `home/${'x'.repeat(95)}` }),

  'a packet before CONNECT': async (port) => {
    const client = new PacketClient(port, 4);
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'early', qos: 0 }] });
    return aftermath(client);
  },

  'a second CONNECT': async (port) => {
    const client = await connected(port, { clientId: 'second-connect' });
    client.send({
      cmd: 'connect',
      clientId: 'second-connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      keepalive: 0,
    });
    return aftermath(client);
  },

  'retained messages': async (port) => {
    const writer = await connected(port, { clientId: 'retained-writer' });
    publish(writer, 'retained/a', 'one', { qos: 1, retain: true });
    await writer.take('puback');
    const reader = await connected(port, { clientId: 'retained-reader' });
    const granted = await subscribe(reader, 'retained/+', 1);
    const stored = told(await reader.take('publish'));
    publish(writer, 'retained/a', 'two', { qos: 1, retain: true });
    const live = told(await reader.take('publish'));
    publish(writer, 'retained/a', '', { qos: 1, retain: true });
    const deletion = told(await reader.take('publish'));
    const late = await connected(port, { clientId: 'retained-late' });
    await subscribe(late, 'retained/+', 1);
    return { granted, stored, live, deletion, late: await untilFence(late, 'retained-fence') };
  },

  'QoS of a message through a wildcard': async (port) => {
    const client = await connected(port, { clientId: 'wildcard-qos' });
    const granted = await subscribe(client, 'wildcard/+', 1);
    publish(client, 'wildcard/x', 'two', { qos: 2, messageId: 5 });
    await client.take('pubrec');
    client.send({ cmd: 'pubrel', messageId: 5 });
    await client.take('pubcomp');
    return { granted, message: told(await client.take('publish')) };
  },

  'overlapping filters': async (port) => {
    const client = await connected(port, { clientId: 'overlap' });
    await subscribe(client, 'overlap/#', 0);
    await subscribe(client, 'overlap/+', 1);
    await subscribe(client, 'overlap/x', 0);
    publish(client, 'overlap/x', 'copy', { qos: 1 });
    await client.take('puback');
    return { messages: await untilFence(client, 'fence-of-overlap') };
  },

  'a wildcard in front and $ topics': async (port) => {
    const client = await connected(port, { clientId: 'dollar' });
    await subscribe(client, '+/dollar', 0);
    publish(client, '$own/dollar', 'hidden');
    publish(client, 'own/dollar', 'seen');
    return { messages: await untilFence(client, 'fence-of-dollar') };
  },

  'a session waits': async (port) => {
    const session = { clientId: 'waits', clean: false };
    const first = await connectPacketClient(port, session);
    await subscribe(first.client, 'waits/+', 2);
    first.client.send({ cmd: 'disconnect' });
    await first.client.closed;
    const writer = await connected(port, { clientId: 'waits-writer' });
    publish(writer, 'waits/0', 'zero');
    publish(writer, 'waits/1', 'one', { qos: 1, messageId: 1 });
    await writer.take('puback');
    publish(writer, 'waits/1', 'two', { qos: 1, messageId: 2 });
    await writer.take('puback');
    const back = await connectPacketClient(port, session);
    const messages = await untilFence(back.client, 'fence-of-waits');
    return { before: first.connack.sessionPresent, after: back.connack.sessionPresent, messages };
  },

  'a QoS 2 message sent twice': async (port) => {
    const client = await connected(port, { clientId: 'twice' });
    await subscribe(client, 'twice', 0);
    publish(client, 'twice', 'once', { qos: 2, messageId: 7 });
    await client.take('pubrec');
    publish(client, 'twice', 'once', { qos: 2, messageId: 7, dup: true });
    await client.take('pubrec');
    client.send({ cmd: 'pubrel', messageId: 7 });
    await client.take('pubcomp');
    return { messages: await untilFence(client, 'fence-of-twice') };
  },

  'PUBREL for an unknown identifier': async (port) => {
    const client = await connected(port, { clientId: 'unknown-pubrel' });
    client.send({ cmd: 'pubrel', messageId: 99 });
    return aftermath(client);
  },

  'the will of a lost connection': async (port) => {
    const observer = await connected(port, { clientId: 'will-observer' });
    await subscribe(observer, 'will/+', 1);
    const will = { topic: 'will/lost', payload: 'gone', qos: 1 as const, retain: false };
    const lost = await connected(port, { clientId: 'will-lost', will });
    const polite = await connected(port, {
      clientId: 'will-polite',
      will: { ...will, topic: 'will/polite' },
    });
    polite.send({ cmd: 'disconnect' });
    await polite.closed;
    lost.destroy();
    return {
      will: told(await observer.take('publish')),
      afterwards: await untilFence(observer, 'fence-of-will'),
    };
  },

  'take-over': async (port) => {
    const old = await connected(port, { clientId: 'same' });
    const fresh = await connectPacketClient(port, { clientId: 'same' });
    await old.closed;
    return { old: old.arrived.map(told), returnCode: fresh.connack.returnCode };
  },

  'a Topic Name with a wildcard': async (port) => {
    const client = await connected(port, { clientId: 'wild-name' });
    client.sendBytes(
      Buffer.concat([Buffer.of(0x30, 6, 0, 3), Buffer.from('a/#'), Buffer.from('x')]),
    );
    return aftermath(client);
  },

  'an empty Topic Name': async (port) => {
    const client = await connected(port, { clientId: 'no-name' });
    client.sendBytes(Buffer.of(0x30, 3, 0, 0, 0x78));
    return aftermath(client);
  },

  'a malformed Topic Filter': async (port) => {
    const client = await connected(port, { clientId: 'bad-filter' });
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'a/#/b', qos: 0 }] });
    return aftermath(client);
  },

  'SUBSCRIBE without a filter': async (port) => {
    const client = await connected(port, { clientId: 'no-filter' });
    client.sendBytes(Buffer.of(0x82, 2, 0, 1));
    return aftermath(client);
  },

  'SUBSCRIBE with wrong flags': async (port) => {
    const client = await connected(port, { clientId: 'wrong-flags' });
    client.sendBytes(
      Buffer.concat([Buffer.of(0x80, 6, 0, 1, 0, 1), Buffer.from('a'), Buffer.of(0)]),
    );
    return aftermath(client);
  },

  'UNSUBSCRIBE from what was not subscribed': async (port) => {
    const client = await connected(port, { clientId: 'unsubscribe' });
    client.send({ cmd: 'unsubscribe', messageId: 4, unsubscriptions: ['never'] });
    return aftermath(client);
  },

  'QoS 3': async (port) => {
    const client = await connected(port, { clientId: 'qos3' });
    client.sendBytes(Buffer.concat([Buffer.of(0x36, 5, 0, 1), Buffer.from('a'), Buffer.of(0, 1)]));
    return aftermath(client);
  },

  'a shared subscription in 3.1.1': async (port) => {
    const client = await connected(port, { clientId: 'shared' });
    await subscribe(client, '$share/group/shared/x', 0);
    publish(client, 'shared/x', 'one');
    return { messages: await untilFence(client, 'fence-of-shared') };
  },

  'packets right behind CONNECT': async (port) => {
    const client = openPacketClient(port, { clientId: 'pipelined' });
    client.send({
      cmd: 'subscribe',
      messageId: 1,
      subscriptions: [{ topic: 'pipelined', qos: 0 }],
    });
    publish(client, 'pipelined', 'early', { qos: 1, messageId: 2 });
    await client.take('publish');
    await client.takeWhere((packet) => packet.cmd === 'puback');
    client.send({ cmd: 'pingreq' });
    await client.takeWhere((packet) => packet.cmd === 'pingresp');
    const order = client.arrived.map(told);
    client.destroy();
    return { order };
  },
};
