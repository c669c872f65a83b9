import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Framer, type LentBuffers } from '../../src/wire/framer.js';
import { bytes, packet, refusal } from './bytes.js';

function packetsOf(framer: Framer): string[] {
  const packets: string[] = [];
  while (framer.next()) {
    const { packetStart, bodyStart, packetEnd } = framer;
    expect(bodyStart).toBeLessThanOrEqual(packetEnd);
    packets.push(Buffer.from(framer.bytes.subarray(packetStart, packetEnd)).toString('hex'));
  }
  return packets;
}

const PINGREQ = bytes('c0 00');
const SHORT = packet(0x30, "00 01 'a' 01 02 03");
const LONG = packet(0x30, new Uint8Array(300).fill(7));
const STREAM = new Uint8Array(Buffer.concat([PINGREQ, SHORT, LONG, PINGREQ, SHORT]));
const EXPECTED = [PINGREQ, SHORT, LONG, PINGREQ, SHORT].map((p) => Buffer.from(p).toString('hex'));

/** Lends the same buffers again and again, and writes over each that comes back. */
class Lender implements LentBuffers {
  lent = 0;
  readonly #free: Uint8Array[] = [];

  take(size: number): Uint8Array {
    this.lent++;
    const at = this.#free.findIndex((buffer) => buffer.length >= size);
    return at < 0 ? new Uint8Array(size * 2) : this.#free.splice(at, 1)[0]!;
  }

  release(buffer: Uint8Array): void {
    this.lent--;
    buffer.fill(0xee);
    this.#free.push(buffer);
  }
}

describe('Framers that share buffers', () => {
  const sizes = [0, 1, 100, 500, 5000, 32_000, 33_000, 70_000];
  const packets = sizes.map((size, i) => packet(0x30, new Uint8Array(size + 2).fill(i)));
  const expected = packets.map((p) => Buffer.from(p).toString('hex'));
  const stream = new Uint8Array(Buffer.concat(packets));

  it('never mix what belongs to one with what belongs to another', () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.array(cuts, { minLength: 2, maxLength: 4 }), (cutsOfEach) => {
        const lender = new Lender();
        const readers = cutsOfEach.map((each) => {
          const framer = new Framer(100_000, lender);
          return { framer, cuts: each, at: 0, turn: 0, found: [] as string[] };
        });
        while (readers.some(({ at }) => at < stream.length)) {
          for (const reader of readers) {
            const cut = reader.cuts[reader.turn++ % reader.cuts.length]!;
            const chunk = stream.slice(reader.at, reader.at + cut);
            reader.at += chunk.length;
            if (chunk.length === 0) continue;
            reader.framer.push(chunk);
            reader.found.push(...packetsOf(reader.framer));
            chunk.fill(0xff);
          }
        }
        for (const { found } of readers) expect(found).toEqual(expected);
        expect(lender.lent).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it('keep a large packet for whoever wants to keep it', () => {
    const lender = new Lender();
    const framer = new Framer(100_000, lender);
    const large = packet(0x30, new Uint8Array(80_000).fill(5));
    framer.push(large.slice(0, 50));
    expect(framer.next()).toBe(false);
    framer.push(large.slice(50));
    expect(framer.next()).toBe(true);
    expect(framer.isOwned).toBe(true);
    const kept = framer.bytes;
    expect(framer.next()).toBe(false);
    expect(Buffer.from(kept).equals(Buffer.from(large))).toBe(true);
    expect(lender.lent).toBe(0);
  });
});

describe('Framer', () => {
  it('finds packets in place', () => {
    const framer = new Framer(1000);
    framer.push(STREAM);
    expect(framer.next()).toBe(true);
    expect(framer.bytes).toBe(STREAM);
    expect([framer.packetStart, framer.bodyStart, framer.packetEnd]).toEqual([0, 2, 2]);
    expect(packetsOf(framer)).toEqual(EXPECTED.slice(1));
    expect(framer.bufferedBytes).toBe(0);
  });

  it('finds the same packets however two cuts split the stream', () => {
    for (let first = 0; first <= STREAM.length; first++) {
      for (const second of new Set([first, first + 1, first + 2, first + 150, STREAM.length])) {
        const framer = new Framer(1000);
        const packets: string[] = [];
        for (const chunk of [
          STREAM.slice(0, first),
          STREAM.slice(first, second),
          STREAM.slice(second),
        ]) {
          framer.push(chunk);
          packets.push(...packetsOf(framer));
          chunk.fill(0xff);
        }
        expect(packets).toEqual(EXPECTED);
        expect(framer.bufferedBytes).toBe(0);
      }
    }
  });

  it('finds the same packets byte by byte', () => {
    const framer = new Framer(1000);
    const packets: string[] = [];
    for (const byte of STREAM) {
      framer.push(Uint8Array.of(byte));
      packets.push(...packetsOf(framer));
    }
    expect(packets).toEqual(EXPECTED);
  });

  it('finds the same packets in random chunks, held or not', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(400), { maxLength: 12 }),
        fc.array(fc.nat(40), { maxLength: 40 }),
        fc.boolean(),
        (bodies, cuts, hold) => {
          const sent = bodies.map((length) => packet(0x30, new Uint8Array(length)));
          const stream = Buffer.concat(sent);
          const framer = new Framer(1000);
          const found: string[] = [];
          let at = 0;
          for (const cut of [...cuts, stream.length]) {
            const chunk = new Uint8Array(stream.subarray(at, at + cut));
            at += cut;
            framer.push(chunk);
            if (hold) {
              framer.holdRest();
              chunk.fill(0xff);
            } else found.push(...packetsOf(framer));
          }
          found.push(...packetsOf(framer));
          expect(found).toEqual(sent.map((p) => Buffer.from(p).toString('hex')));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('goes on in the middle of a chunk that was held', () => {
    const framer = new Framer(1000);
    const chunk = STREAM.slice();
    framer.push(chunk);
    expect(framer.next()).toBe(true);
    framer.holdRest();
    chunk.fill(0xff);
    framer.push(PINGREQ);
    expect(packetsOf(framer)).toEqual([...EXPECTED.slice(1), 'c000']);
  });

  it('copies a chunk once, however often its reader stops', () => {
    const framer = new Framer(1000);
    framer.push(STREAM.slice());
    framer.holdRest();
    expect(framer.next()).toBe(true);
    const held = framer.bytes;
    framer.holdRest();
    expect(framer.next()).toBe(true);
    expect(framer.bytes).toBe(held);
  });

  it('holds no more than twice what it received of a packet that claims 256 MB', () => {
    const framer = new Framer(268_435_460);
    framer.push(bytes('30 ff ff ff 7f'));
    expect(framer.next()).toBe(false);
    let received = 5;
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 64; i++) {
      framer.push(new Uint8Array(1024));
      expect(framer.next()).toBe(false);
      received += 1024;
      expect(framer.bufferedBytes).toBe(received);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1_000_000);
  });

  it('lets the buffer of a finished packet go', () => {
    const framer = new Framer(1000);
    framer.push(LONG.slice(0, 100));
    expect(framer.next()).toBe(false);
    expect(framer.bufferedBytes).toBe(100);
    framer.push(LONG.slice(100));
    expect(framer.next()).toBe(true);
    expect(framer.bufferedBytes).toBe(0);
    expect(framer.next()).toBe(false);
    expect(framer.bytes.length).toBe(0);
  });

  it.each([
    ['in one chunk', ['30 80 01']],
    ['across chunks', ['30', '80', '01']],
    ['although nothing of the body came', ['30 ff ff ff 7f']],
  ])('refuses a packet beyond the limit as soon as its length is known: %s', (_, chunks) => {
    const framer = new Framer(130);
    const feed = () => {
      for (const chunk of chunks) {
        framer.push(bytes(chunk));
        framer.next();
      }
    };
    expect(refusal(feed)).toBe('95 MQTT-3.2.2-15');
  });

  it('takes a packet of exactly the limit, which counts the Fixed Header', () => {
    const framer = new Framer(131);
    framer.push(packet(0x30, new Uint8Array(128)));
    expect(framer.next()).toBe(true);
  });

  it.each([
    ['type 0', '00', '81 MQTT-2.1.3-1'],
    ['type 0 behind a packet', 'c0 00 0f 00', '81 MQTT-2.1.3-1'],
    ['a fifth length byte', '30 80 80 80 80', '81'],
    ['a length that is not minimal', '30 80 00', '81 MQTT-1.5.5-1'],
    ['a length that is not minimal by far', '30 81 80 80 00', '81 MQTT-1.5.5-1'],
  ])('refuses %s, whole and byte by byte', (_, stream, code) => {
    const whole = new Framer(1000);
    whole.push(bytes(stream));
    expect(refusal(() => packetsOf(whole))).toBe(code);
    const single = new Framer(1000);
    const feed = () => {
      for (const byte of bytes(stream)) {
        single.push(Uint8Array.of(byte));
        packetsOf(single);
      }
    };
    expect(refusal(feed)).toBe(code);
  });
});
