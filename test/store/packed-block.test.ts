import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareBytes } from '../../src/store/byte-order.js';
import { PackedBlock } from '../../src/store/packed-block.js';

const key = fc.uint8Array({ minLength: 0, maxLength: 3 });
const value = fc
  .tuple(fc.constantFrom(0, 1, 7, 300, 1024, 1025, 5000), fc.nat(255))
  .map(([length, byte]) => new Uint8Array(length).fill(byte));
const step = fc.record({ kind: fc.constantFrom('put', 'put', 'remove', 'split'), key, value });

function put(block: PackedBlock, [one, other]: [Uint8Array, Uint8Array]): void {
  const at = block.place(one);
  if (block.has(at, one)) block.replace(at, one, other);
  else block.insert(at, one, other);
}

/** All that a block and those split off it hold, in order. */
function expectEntries(blocks: readonly PackedBlock[], model: Map<string, Uint8Array>): void {
  const found = blocks.flatMap((block) =>
    Array.from({ length: block.count }, (_, i) => block.entry(i)),
  );
  const wanted = [...model].map(([hex, bytes]) => ({ key: Buffer.from(hex, 'hex'), value: bytes }));
  wanted.sort((a, b) => compareBytes(a.key, b.key));
  expect(found.map((entry) => Buffer.from(entry.key).toString('hex'))).toEqual(
    wanted.map((entry) => entry.key.toString('hex')),
  );
  found.forEach((entry, i) => {
    expect(Buffer.compare(entry.value, wanted[i]!.value)).toBe(0);
  });
}

test('holds what was put and not removed, in order, whatever is done to it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const blocks = [new PackedBlock()];
      const model = new Map<string, Uint8Array>();
      for (const { kind, key: one, value: other } of steps) {
        const hex = Buffer.from(one).toString('hex');
        const holder = blocks.findLast((block, i) => i === 0 || block.compareKey(0, one) <= 0)!;
        if (kind === 'put') {
          put(holder, [one, other]);
          model.set(hex, other.slice());
        } else if (kind === 'remove') {
          const at = holder.place(one);
          expect(holder.has(at, one)).toBe(model.delete(hex));
          // Others must not become empty: their first key says what belongs to them.
          if (at < holder.count && holder.compareKey(at, one) === 0) holder.remove(at);
          if (holder.count === 0 && holder !== blocks[0]) blocks.splice(blocks.indexOf(holder), 1);
        } else if (holder.count > 1) {
          blocks.splice(blocks.indexOf(holder) + 1, 0, holder.split(holder.count >>> 1));
        }
        other.fill(0xee);
        one.fill(0xee);
      }
      expectEntries(blocks, model);
    }),
    { numRuns: 300 },
  );
});

test('what it gave is not changed by what comes later', () => {
  const block = new PackedBlock();
  const one = Uint8Array.of(1);
  block.insert(0, one, Uint8Array.of(7, 7));
  const { value: given } = block.entry(0);
  block.replace(0, one, Uint8Array.of(8, 8));
  for (let i = 2; i < 100; i++) block.insert(i - 1, Uint8Array.of(i), new Uint8Array(50));
  expect([...given]).toEqual([7, 7]);
});

test('keeps no more bytes than what it holds after most of it was removed', () => {
  const block = new PackedBlock();
  for (let i = 0; i < 200; i++) block.insert(i, Uint8Array.of(i), new Uint8Array(100));
  const full = block.bytes;
  while (block.count > 1) block.remove(block.count - 1);
  expect(block.bytes).toBeLessThan(full / 100);
  expect(block.entry(0).key).toEqual(Uint8Array.of(0));
});
