import { expect, test } from 'vitest';
import {
  BufferPool,
  LARGE_BUFFER_BYTES,
  MEDIUM_BUFFER_BYTES,
  SMALL_BUFFER_BYTES,
} from '../../src/session/buffer-pool.js';

test('buffers are used again, the last one given back first', () => {
  const pool = new BufferPool();
  const [one, other] = [pool.take(1), pool.take(1)];
  expect(one).not.toBe(other);
  expect(one).toHaveLength(SMALL_BUFFER_BYTES);
  pool.release(one);
  pool.release(other);
  expect(pool.take(1)).toBe(other);
  expect(pool.take(1)).toBe(one);
  const large = pool.take(LARGE_BUFFER_BYTES);
  expect(large).toHaveLength(LARGE_BUFFER_BYTES);
  pool.release(large);
  expect(pool.take(1)).not.toBe(large);
  expect(pool.take(LARGE_BUFFER_BYTES)).toBe(large);
});

test('a buffer of another size is not kept', () => {
  const pool = new BufferPool();
  const odd = new Uint8Array(LARGE_BUFFER_BYTES + 1);
  pool.release(odd);
  expect(pool.take(LARGE_BUFFER_BYTES)).not.toBe(odd);
  expect(pool.take(1)).not.toBe(odd);
});

test('each request gets the smallest buffer that holds it', () => {
  const pool = new BufferPool();
  const sizes = [1, SMALL_BUFFER_BYTES, SMALL_BUFFER_BYTES + 1, MEDIUM_BUFFER_BYTES + 1, 100_000];
  expect(sizes.map((bytes) => pool.take(bytes).length)).toEqual([
    SMALL_BUFFER_BYTES,
    SMALL_BUFFER_BYTES,
    MEDIUM_BUFFER_BYTES,
    LARGE_BUFFER_BYTES,
    100_000,
  ]);
});

test('a list of one part serves the next write, and no two at once', () => {
  const pool = new BufferPool();
  const one = pool.partsOf(Uint8Array.of(1));
  const other = pool.partsOf(Uint8Array.of(2));
  expect([one, other]).toEqual([[Uint8Array.of(1)], [Uint8Array.of(2)]]);
  pool.releaseParts(one);
  expect(pool.partsOf(Uint8Array.of(3))).toBe(one);
  pool.releaseParts([Uint8Array.of(4), Uint8Array.of(5)]);
  expect(pool.partsOf(Uint8Array.of(6))).toEqual([Uint8Array.of(6)]);
});

test('no more is kept than a burst needs', () => {
  const pool = new BufferPool();
  const given = Array.from({ length: 300 }, () => pool.take(LARGE_BUFFER_BYTES));
  for (const buffer of given) pool.release(buffer);
  const again = Array.from({ length: 300 }, () => pool.take(LARGE_BUFFER_BYTES));
  expect(again.filter((buffer) => given.includes(buffer))).toHaveLength(256);
});
