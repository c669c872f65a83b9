import { expect, test } from 'vitest';
import { binaryFrame, WebSocketReader } from '../../bench/load/websocket-frames.js';

const MASK_BYTES = 4;

/** A frame as servers send it: without a mask. */
function serverFrame(payload: Buffer): Buffer {
  const frame = binaryFrame(payload);
  const headerBytes = frame.length - payload.length - MASK_BYTES;
  const header = Buffer.from(frame.subarray(0, headerBytes));
  header[1]! &= 0x7f;
  return Buffer.concat([header, payload]);
}

const payloads = [1, 125, 126, 65_535, 65_536].map((bytes) => Buffer.alloc(bytes, bytes & 0xff));
const answer = Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n');
const ping = Buffer.from([0x89, 2, 0xaa, 0xbb]);

test.each([1, 3, 1000, 1_000_000])('takes the payloads out of reads of %i bytes', (pieceBytes) => {
  const stream = Buffer.concat([answer, ping, ...payloads.map(serverFrame)]);
  const taken: Buffer[] = [];
  let upgrades = 0;
  const reader = new WebSocketReader(
    () => upgrades++,
    (bytes, from, to) => taken.push(Buffer.from(bytes.subarray(from, to))),
  );
  for (let at = 0; at < stream.length; at += pieceBytes) {
    const piece = stream.subarray(at, at + pieceBytes);
    reader.read(piece, piece.length);
  }
  expect(upgrades).toBe(1);
  expect(Buffer.concat(taken).equals(Buffer.concat(payloads))).toBe(true);
});

test('a refused upgrade is an error', () => {
  const reader = new WebSocketReader(
    () => {},
    () => {},
  );
  const refusal = Buffer.from('HTTP/1.1 404 Not Found\r\n\r\n');
  expect(() => reader.read(refusal, refusal.length)).toThrow('404');
});

test('frames of clients are masked with zeros', () => {
  const frame = binaryFrame(Buffer.from([1, 2, 3]));
  expect([...frame]).toEqual([0x82, 0x83, 0, 0, 0, 0, 1, 2, 3]);
});
