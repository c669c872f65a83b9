import { expect, test } from 'vitest';
import { PacketWalker } from '../../bench/load/packet-walker.js';

function packet(bodyBytes: number, fill: number): Buffer {
  const length: number[] = [];
  let left = bodyBytes;
  do {
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    left >>>= 7;
  } while (left > 0);
  return Buffer.concat([Buffer.from([0x30, ...length]), Buffer.alloc(bodyBytes, fill)]);
}

const packets = [packet(0, 0), packet(5, 1), packet(127, 2), packet(128, 3), packet(20_000, 4)];
const stream = Buffer.concat([...packets, ...packets]);
const expected = [...packets, ...packets].map((bytes) => bytes.toString('hex'));

/** Walks the stream in pieces, each in the same buffer, as reads do. */
function walk(pieceBytes: number, offset: number): string[] {
  const seen: string[] = [];
  const walker = new PacketWalker({
    packet: (bytes, start, body, end) => {
      expect(body).toBeGreaterThan(start);
      seen.push(Buffer.from(bytes.subarray(start, end)).toString('hex'));
    },
  });
  const buffer = Buffer.alloc(offset + pieceBytes);
  for (let at = 0; at < stream.length; at += pieceBytes) {
    const piece = stream.subarray(at, at + pieceBytes);
    buffer.fill(0xff);
    piece.copy(buffer, offset);
    walker.walk(buffer, offset, offset + piece.length);
  }
  return seen;
}

test.each([1, 2, 3, 5, 7, 64, 129, 4096, stream.length])(
  'finds every packet in reads of %i bytes',
  (pieceBytes) => {
    expect(walk(pieceBytes, 0)).toEqual(expected);
  },
);

test('begins where it is told', () => {
  expect(walk(100, 9)).toEqual(expected);
});

test('refuses a length of five bytes that comes in pieces', () => {
  const walker = new PacketWalker({ packet: () => {} });
  const bytes = Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]);
  expect(() => {
    for (let at = 0; at < bytes.length; at++) walker.walk(bytes, at, at + 1);
  }).toThrow('four bytes');
});
