import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BufferPool, LARGE_BUFFER_BYTES } from '../../src/session/buffer-pool.js';
import type { WriteRelease } from '../../src/session/network-connection.js';
import { Outbox } from '../../src/session/outbox.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../../src/wire/application-message.js';
import { PublishFrame } from '../../src/wire/publish-frame.js';
import { decoded } from '../broker/packets.js';
import { TestTime } from '../broker/test-time.js';
import { FakeNetwork } from './fake-network.js';

const PINGRESP = Uint8Array.of(0xd0, 0);
const PUBACK = 0x40;
/** More than an answer waits for in one tick. */
const MUCH_BYTES = 20_000;

/** Takes no more than it is let, and gives the parts back when the last of them has left. */
class NarrowNetwork extends FakeNetwork {
  takesBursts = false;
  /** What the system still has room for. */
  roomBytes = 0;
  readonly arrived: Uint8Array[] = [];
  readonly #pending: {
    all: Uint8Array;
    parts: readonly Uint8Array[];
    release: WriteRelease;
    at: number;
  }[] = [];

  override write(parts: readonly Uint8Array[], release: WriteRelease): void {
    for (const part of parts) this.unsentBytes += part.length;
    this.#pending.push({ all: Buffer.concat(parts), parts, release, at: 0 });
    this.#fill();
  }

  /** The peer reads: returns whether everything has left now. */
  takeMore(bytes: number): boolean {
    this.roomBytes += bytes;
    const waited = this.unsentBytes > 0;
    this.#fill();
    return waited && this.unsentBytes === 0;
  }

  #fill(): void {
    for (let write = this.#pending[0]; write !== undefined; write = this.#pending[0]) {
      const piece = write.all.subarray(write.at, write.at + this.roomBytes);
      this.arrived.push(piece);
      this.roomBytes -= piece.length;
      this.unsentBytes -= piece.length;
      write.at += piece.length;
      if (write.at < write.all.length) return;
      this.#pending.shift();
      write.release.written(write.parts);
    }
  }
}

function setUp(bytesMax = 1e7) {
  const network = new NarrowNetwork();
  const time = new TestTime();
  const sent = { held: 0 };
  const outbox = new Outbox(network, time, new BufferPool(), bytesMax, {
    drained() {},
    sent() {},
    sentHeld: () => sent.held++,
  });
  const publish = (payload: Uint8Array, packetIdentifier = 0): void => {
    const topic = Uint8Array.of(0x74);
    const none = new Uint8Array(0);
    const frame = new PublishFrame();
    const qos = packetIdentifier === 0 ? 0 : 1;
    frame.fromMessage(
      new ApplicationMessage('t', topic, payload, none, qos, false, NEVER_EXPIRES, 'p'),
      0,
    );
    const template = frame.template(4, qos > 0);
    outbox.appendPublish(frame, template, 0x30 | (qos << 1), packetIdentifier);
  };
  /** The peer reads so many bytes, and the tick comes to its end. */
  const read = (bytes: number): void => {
    if (network.takeMore(bytes)) outbox.drained();
    time.run();
  };
  const brief = (): string[] =>
    decoded(Buffer.concat(network.arrived), 4).map(({ cmd, messageId, payload }) => {
      if (cmd === 'publish') return `publish ${(payload as Buffer).length}`;
      return messageId === undefined ? `${String(cmd)}` : `${String(cmd)} ${String(messageId)}`;
    });
  return { network, time, outbox, sent, publish, read, brief };
}

function acknowledge(outbox: Outbox, packetIdentifier: number): void {
  outbox.appendAcknowledgement(PUBACK, packetIdentifier, 0);
}

describe('answers', () => {
  test('stand where they came while the network takes everything, in one write', () => {
    const { network, time, outbox, publish, read, brief } = setUp();
    read(1e6);
    publish(new Uint8Array(100));
    acknowledge(outbox, 1);
    publish(new Uint8Array(200));
    outbox.appendAnswer(PINGRESP);
    time.run();
    expect(brief()).toEqual(['publish 100', 'puback 1', 'publish 200', 'pingresp']);
    expect(network.arrived).toHaveLength(1);
  });

  test('go ahead of messages that the network has not taken yet', () => {
    const { time, outbox, sent, publish, read, brief } = setUp();
    publish(new Uint8Array(10));
    time.run();
    for (let i = 0; i < 5; i++) {
      publish(new Uint8Array(1000 + i));
      acknowledge(outbox, i + 1);
      time.run();
    }
    outbox.appendAnswer(PINGRESP);
    expect(sent.held).toBe(0);
    read(1e6);
    expect(brief()).toEqual([
      'publish 10',
      ...[1, 2, 3, 4, 5].map((i) => `puback ${i}`),
      'pingresp',
      ...[0, 1, 2, 3, 4].map((i) => `publish ${1000 + i}`),
    ]);
    expect(sent.held).toBe(1);
  });

  test('go ahead of much that came in the same tick, unless an answer is among it', () => {
    const one = setUp();
    one.read(1e6);
    one.publish(new Uint8Array(MUCH_BYTES));
    acknowledge(one.outbox, 1);
    one.publish(new Uint8Array(3));
    acknowledge(one.outbox, 2);
    one.time.run();
    expect(one.brief()).toEqual(['puback 1', 'puback 2', `publish ${MUCH_BYTES}`, 'publish 3']);
    const other = setUp();
    other.read(1e6);
    acknowledge(other.outbox, 1);
    other.publish(new Uint8Array(MUCH_BYTES));
    acknowledge(other.outbox, 2);
    other.time.run();
    expect(other.brief()).toEqual(['puback 1', `publish ${MUCH_BYTES}`, 'puback 2']);
    // That was so in that tick alone.
    other.publish(new Uint8Array(MUCH_BYTES));
    acknowledge(other.outbox, 3);
    other.time.run();
    expect(other.brief().slice(3)).toEqual(['puback 3', `publish ${MUCH_BYTES}`]);
  });

  test('CONNACK is the first, whatever the network still has', () => {
    const { time, outbox, publish, read, brief } = setUp();
    // As an exchange of AUTH may have left it.
    outbox.appendAnswer(PINGRESP);
    time.run();
    outbox.appendAnswer(Uint8Array.of(0x20, 2, 0, 0));
    publish(new Uint8Array(MUCH_BYTES), 7);
    outbox.appendAnswer(Uint8Array.of(0x90, 3, 0, 9, 0));
    publish(new Uint8Array(5));
    acknowledge(outbox, 1);
    time.run();
    read(1e6);
    expect(brief()).toEqual([
      'pingresp',
      'connack',
      'suback 9',
      'puback 1',
      `publish ${MUCH_BYTES}`,
      'publish 5',
    ]);
  });

  test('nor does anything overtake CONNACK in its tick, however much follows it', () => {
    const { time, outbox, publish, read, brief } = setUp();
    outbox.appendAnswer(Uint8Array.of(0x20, 2, 0, 0));
    for (let i = 0; i < 5; i++) publish(new Uint8Array(LARGE_BUFFER_BYTES));
    acknowledge(outbox, 1);
    time.run();
    acknowledge(outbox, 2);
    read(1e6);
    const publishes = Array.from({ length: 5 }, () => `publish ${LARGE_BUFFER_BYTES}`);
    expect(brief()).toEqual(['connack', ...publishes, 'puback 1', 'puback 2']);
  });

  test('wait for one write at most, whole packets, of a network that takes single bytes', () => {
    const { network, time, outbox, publish, read, brief } = setUp();
    publish(new Uint8Array(50));
    time.run();
    read(20);
    for (let i = 0; i < 40; i++) publish(new Uint8Array(500));
    time.run();
    expect(network.unsentBytes).toBeLessThan(50);
    acknowledge(outbox, 1);
    time.run();
    const answeredBehind = network.unsentBytes;
    expect(answeredBehind).toBeLessThan(50);
    while (network.unsentBytes > 0) read(1);
    expect(brief().slice(0, 2)).toEqual(['publish 50', 'puback 1']);
    expect(brief().filter((packet) => packet === 'publish 500')).toHaveLength(40);
  });

  test('do not keep messages from leaving, however many come', () => {
    const { network, time, outbox, publish, read, brief } = setUp();
    publish(new Uint8Array(10));
    publish(new Uint8Array(11));
    time.run();
    publish(new Uint8Array(100));
    for (let i = 1; i <= 300; i++) {
      acknowledge(outbox, i);
      outbox.appendAnswer(PINGRESP);
      // As fast as the client can read, and no faster.
      read(network.unsentBytes + 6);
    }
    expect(brief()).toContain('publish 100');
  });

  test('and messages leave all when the end comes, DISCONNECT behind them', () => {
    const { time, outbox, publish, read, network, brief } = setUp();
    publish(new Uint8Array(10));
    time.run();
    for (let i = 0; i < 30; i++) publish(new Uint8Array(5000 + i));
    acknowledge(outbox, 1);
    outbox.append(Uint8Array.of(0xe0, 0));
    outbox.finish();
    acknowledge(outbox, 2);
    read(1e6);
    expect(network.unsentBytes).toBe(0);
    const publishes = Array.from({ length: 30 }, (_, i) => `publish ${5000 + i}`);
    expect(brief()).toEqual(['publish 10', 'puback 1', ...publishes, 'disconnect']);
  });
});

type Step =
  | { kind: 'publish'; bytes: number }
  | { kind: 'answer' }
  | { kind: 'tick' }
  | { kind: 'read'; bytes: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('publish'), bytes: fc.nat(3000) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('publish'), bytes: fc.nat(90_000) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('answer') }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('tick') }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('read'), bytes: fc.nat(40) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('read'), bytes: fc.nat(20_000) }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 120 },
);

/** The second answer makes a burst leave that holds the first: the third went ahead of it. */
const OVERTAKEN: Step[] = [
  { kind: 'answer' },
  { kind: 'publish', bytes: 65_523 },
  { kind: 'answer' },
  { kind: 'answer' },
];

test('any traffic, any network: whole packets, each kind in its order, answers not behind later messages', () => {
  fc.assert(
    fc.property(steps, fc.boolean(), (traffic, takesBursts) => {
      const { network, time, outbox, publish, read, brief } = setUp();
      network.takesBursts = takesBursts;
      const wanted = { answers: [] as string[], messages: [] as string[] };
      /** For each answer, how many messages had been appended before it. */
      const messagesBefore: number[] = [];
      for (const step of traffic) {
        if (step.kind === 'publish') {
          publish(new Uint8Array(step.bytes), wanted.messages.length + 1);
          wanted.messages.push(`publish ${step.bytes}`);
        } else if (step.kind === 'answer') {
          acknowledge(outbox, wanted.answers.length + 1);
          wanted.answers.push(`puback ${wanted.answers.length + 1}`);
          messagesBefore.push(wanted.messages.length);
        } else if (step.kind === 'tick') time.run();
        else read(step.bytes);
      }
      time.run();
      while (network.unsentBytes > 0) read(10_000);
      const got = brief();
      expect(got.filter((packet) => packet.startsWith('puback'))).toEqual(wanted.answers);
      expect(got.filter((packet) => packet.startsWith('publish'))).toEqual(wanted.messages);
      let messages = 0;
      let answers = 0;
      for (const packet of got) {
        if (packet.startsWith('publish')) messages++;
        else expect(messages).toBeLessThanOrEqual(messagesBefore[answers++]!);
      }
    }),
    { numRuns: 300, examples: [[OVERTAKEN, true]] },
  );
});
