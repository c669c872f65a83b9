import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Batch, type Engine, type Entry } from '../../src/store/engine.js';

/** One engine under test, with what makes its answers come. */
export interface EngineUnderTest {
  readonly engine: Engine;
  /** Lets a promise's outcome arrive: ends ticks, moves virtual time, or only waits for the disk. */
  settle<T>(outcome: Promise<T>): Promise<T>;
  dispose(): Promise<void>;
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const ALL = { gte: bytes(), lt: bytes(0xff, 0xff), countMax: 1_000_000, bytesMax: 1e9 };

/** What every engine must do. Call it inside a test file, with a way to make an empty engine. */
export function engineSuite(name: string, create: () => Promise<EngineUnderTest>): void {
  describe(`engine: ${name}`, () => {
    let under: EngineUnderTest;

    beforeEach(async () => {
      under = await create();
    });
    afterEach(async () => {
      await under.dispose();
    });

    const write = (fill: (batch: Batch) => void): Promise<void> => {
      const batch = new Batch();
      fill(batch);
      return under.settle(
        new Promise((resolve, reject) => {
          under.engine.write(batch, (failure) => (failure ? reject(failure) : resolve()));
        }),
      );
    };
    const read = (range: Partial<typeof ALL> = {}): Promise<readonly Entry[]> =>
      under.settle(
        new Promise((resolve, reject) => {
          under.engine.read({ ...ALL, ...range }, (entries, failure) =>
            failure ? reject(failure) : resolve(entries),
          );
        }),
      );
    const scan = async (prefix: Uint8Array): Promise<number[][]> => {
      const keys: number[][] = [];
      const all = async (): Promise<void> => {
        for await (const { key } of under.engine.scan(prefix)) keys.push([...key]);
      };
      await under.settle(all());
      return keys;
    };
    const keysOf = (entries: readonly Entry[]): number[][] => entries.map(({ key }) => [...key]);

    it('reads keys in the order of their unsigned bytes, the shorter first', async () => {
      const keys = [bytes(2), bytes(0x80), bytes(1, 0), bytes(1), bytes(1, 0xff), bytes(0x7f)];
      await write((batch) => {
        for (const key of keys) batch.put(key, bytes(9));
      });
      expect(keysOf(await read())).toEqual([[1], [1, 0], [1, 0xff], [2], [0x7f], [0x80]]);
    });

    it('applies a batch in order: the last operation on a key wins', async () => {
      await write((batch) => {
        batch.put(bytes(1), bytes(1));
        batch.delete(bytes(1));
        batch.delete(bytes(2));
        batch.put(bytes(2), bytes(2));
        batch.put(bytes(3), bytes(3));
        batch.put(bytes(3), bytes(4));
        batch.delete(bytes(4));
      });
      const entries = await read();
      expect(entries.map(({ key, value }) => [key[0], value[0]])).toEqual([
        [2, 2],
        [3, 4],
      ]);
    });

    it('keeps the bytes as they were, empty values too, and gives byte arrays', async () => {
      const value = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7);
      const key = bytes(1);
      const shared = bytes(5, 6, 7, 8);
      await write((batch) => {
        batch.put(key, value);
        batch.put(bytes(2), bytes());
        batch.put(shared.subarray(0, 2), shared.subarray(2));
      });
      const [large, empty, view] = await read();
      expect(Buffer.compare(large!.value, value)).toBe(0);
      expect(empty!.value.length).toBe(0);
      expect([...view!.key, ...view!.value]).toEqual([5, 6, 7, 8]);
      expect(large!.value.slice(0, 3)).toEqual(value.slice(0, 3));
    });

    it('reads values alone, within the same bounds', async () => {
      const value = (i: number): Uint8Array => new Uint8Array(i % 3 === 0 ? 2000 : 5).fill(i);
      await write((batch) => {
        for (let i = 0; i < 100; i++) batch.put(bytes(0xe9, 0x80 + i), value(i));
      });
      const page = { gte: bytes(0xe9, 0x8a), lt: bytes(0xe9, 0xb0), withoutKeys: true };
      const expected = Array.from({ length: 0x26 }, (_, i) => [...value(10 + i)]);
      expect((await read(page)).map((entry) => [...entry.value])).toEqual(expected);
      const few = await read({ ...page, bytesMax: 2001 });
      expect(few.map((entry) => [...entry.value])).toEqual(expected.slice(0, 3));
    });

    it('reads a page: from gte to before lt, at most countMax', async () => {
      await write((batch) => {
        for (let i = 0; i < 100; i++) batch.put(bytes(7, i), bytes(i));
      });
      expect(keysOf(await read({ gte: bytes(7, 10), lt: bytes(7, 13) }))).toEqual([
        [7, 10],
        [7, 11],
        [7, 12],
      ]);
      expect(keysOf(await read({ gte: bytes(7, 98), countMax: 1 }))).toEqual([[7, 98]]);
      expect(await read({ gte: bytes(8) })).toEqual([]);
      expect(await read({ gte: bytes(7, 50), lt: bytes(7, 50) })).toEqual([]);
    });

    it('ends a page for its bytes, but never before the first entry', async () => {
      await write((batch) => {
        for (let i = 0; i < 10; i++) batch.put(bytes(i), new Uint8Array(1000));
      });
      expect((await read({ bytesMax: 1 })).length).toBe(1);
      expect((await read({ bytesMax: 2500 })).length).toBe(3);
      expect((await read({ bytesMax: 10_001 })).length).toBe(10);
    });

    it('gives many values in the order asked, undefined where there is none', async () => {
      await write((batch) => {
        batch.put(bytes(1), bytes(11));
        batch.put(bytes(3), bytes(33));
      });
      const values = await under.settle(
        new Promise<readonly (Uint8Array | undefined)[]>((resolve) => {
          under.engine.getMany([bytes(3), bytes(2), bytes(1)], resolve);
        }),
      );
      expect(values.map((value) => value?.[0])).toEqual([33, undefined, 11]);
    });

    it('scans a prefix and nothing beside it', async () => {
      await write((batch) => {
        for (const first of [0x50, 0x51, 0x52]) {
          for (let i = 0; i < 3; i++) batch.put(bytes(first, i), bytes(1));
        }
        batch.put(bytes(0x51), bytes(1));
        batch.put(bytes(0x51, 0xff, 0xff), bytes(1));
      });
      const found = [[0x51], [0x51, 0], [0x51, 1], [0x51, 2], [0x51, 0xff, 0xff]];
      expect(await scan(bytes(0x51))).toEqual(found);
      expect(await scan(bytes(0x51, 2))).toEqual([[0x51, 2]]);
      expect(await scan(bytes(0x60))).toEqual([]);
    });

    it('never answers a read inside the call', async () => {
      let inside = true;
      const answered = under.settle(
        new Promise<boolean>((resolve) => {
          under.engine.read(ALL, () => resolve(inside));
        }),
      );
      const alsoAnswered = under.settle(
        new Promise<boolean>((resolve) => {
          under.engine.getMany([bytes(1)], () => resolve(inside));
        }),
      );
      inside = false;
      expect(await answered).toBe(false);
      expect(await alsoAnswered).toBe(false);
    });

    it('keeps thousands of keys in order through puts and deletes all over', async () => {
      const expected = new Map<number, number>();
      const keyOf = (n: number): Uint8Array => bytes(n >>> 8, n);
      for (let round = 0; round < 6; round++) {
        await write((batch) => {
          for (let i = 0; i < 1500; i++) {
            const n = (i * 7919 + round * 104_729) % 4001;
            if ((i + round) % 3 === 0) {
              batch.delete(keyOf(n));
              expected.delete(n);
            } else {
              batch.put(keyOf(n), bytes(round));
              expected.set(n, round);
            }
          }
        });
      }
      const entries = await read();
      const found = entries.map(({ key, value }) => [key[0]! * 256 + key[1]!, value[0]]);
      expect(found).toEqual([...expected].sort((a, b) => a[0] - b[0]));
    });
  });
}
