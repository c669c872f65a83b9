import { expect, test } from 'vitest';
import {
  BufferPool,
  LARGE_BUFFER_BYTES,
  SMALL_BUFFER_BYTES,
} from '../../src/session/buffer-pool.js';

test('buffers are used again, the last one given back first', () => {
  const pool = new BufferPool();
  const [one, other] = [pool.small(), pool.small()];
  expect(one).not.toBe(other);
  expect(one).toHaveLength(SMALL_BUFFER_BYTES);
  pool.release(one);
  pool.release(other);
  expect(pool.small()).toBe(other);
  expect(pool.small()).toBe(one);
  const large = pool.large();
  expect(large).toHaveLength(LARGE_BUFFER_BYTES);
  pool.release(large);
  expect(pool.small()).not.toBe(large);
  expect(pool.large()).toBe(large);
});

test('a buffer of another size is not kept', () => {
  const pool = new BufferPool();
  const odd = new Uint8Array(LARGE_BUFFER_BYTES + 1);
  pool.release(odd);
  expect(pool.large()).not.toBe(odd);
  expect(pool.small()).not.toBe(odd);
});

test('no more is kept than a burst needs', () => {
  const pool = new BufferPool();
  const given = Array.from({ length: 300 }, () => pool.large());
  for (const buffer of given) pool.release(buffer);
  const again = Array.from({ length: 300 }, () => pool.large());
  expect(again.filter((buffer) => given.includes(buffer))).toHaveLength(256);
});
