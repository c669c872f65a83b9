import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.js';
import { utf8Bytes } from '../../src/base/utf8.js';
import { RouteCache } from '../../src/topic/route-cache.js';
import { SubscriptionTree } from '../../src/topic/subscription-tree.js';
import { matches } from '../../src/topic/topic-filter.js';
import type { TopicEntry } from '../../src/topic/topic-table.js';
import { limits, topicFilter, topicName } from './arbitraries.js';

const plenty = {
  ...limits,
  entriesMax: 1000,
  bytesMax: 1_000_000,
  random: new SeededRandom(1),
  bytesOf: () => 100,
};

/** A cache whose answers are numbered, so that a recomputation shows. */
function counting(options: Partial<typeof plenty> = {}): RouteCache<number> {
  let computed = 0;
  return new RouteCache<number>({ ...plenty, ...options, compute: () => ++computed });
}

/** Looks a name up as it lies in the middle of a packet. */
function find<R>(cache: RouteCache<R>, name: string): TopicEntry<R> {
  const bytes = utf8Bytes(name);
  const packet = new Uint8Array(bytes.length + 8).fill(0x41);
  packet.set(bytes, 5);
  return cache.lookup(packet, 5, 5 + bytes.length)!;
}

const step = fc.oneof(
  { weight: 2, arbitrary: fc.record({ change: topicFilter, value: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ route: topicName, asText: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ held: fc.nat(20) }) },
);

describe('RouteCache', () => {
  it('answers as the reference does, for entries new, known, held and evicted', () => {
    const entriesMax = fc.constantFrom(0, 1, 3, 1000);
    fc.assert(
      fc.property(entriesMax, fc.nat(), fc.array(step, { maxLength: 80 }), (max, seed, steps) => {
        const tree = new SubscriptionTree<number>();
        const model = new Map<string, [string, number]>();
        const held: TopicEntry<number[]>[] = [];
        const cache = new RouteCache<number[]>({
          ...plenty,
          random: new SeededRandom(seed),
          entriesMax: max,
          compute: (name) => {
            const values: number[] = [];
            tree.match(name, (value) => values.push(value));
            return values.toSorted();
          },
        });
        for (const todo of steps) {
          if ('change' in todo) {
            const pair = `${todo.value} ${todo.change}`;
            if (model.delete(pair)) tree.remove(todo.change, todo.value);
            else tree.insert(todo.change, todo.value);
            if (tree.size > model.size) model.set(pair, [todo.change, todo.value]);
            cache.filterChanged(todo.change);
            continue;
          }
          let entry = 'held' in todo ? held[todo.held] : undefined;
          if ('route' in todo) {
            entry = todo.asText ? cache.lookupText(todo.route) : find(cache, todo.route);
            expect(entry!.name).toBe(todo.route);
            expect(entry!.bytes).toEqual(utf8Bytes(todo.route));
            held.push(entry!);
          }
          if (entry === undefined) continue;
          const name = entry.name;
          const expected = [...model.values()].filter(([filter]) => matches(filter, name));
          expect(cache.route(entry)).toEqual(expected.map(([, value]) => value).toSorted());
          expect(cache.size).toBeLessThanOrEqual(max);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('gives the same entry for the same bytes, and computes once', () => {
    const cache = counting();
    const entry = find(cache, 'home/kitchen/temperature');
    expect(find(cache, 'home/kitchen/temperature')).toBe(entry);
    expect(cache.lookupText('home/kitchen/temperature')).toBe(entry);
    expect(find(cache, 'home/kitchen/temperaturf')).not.toBe(entry);
    expect(cache.route(entry)).toBe(1);
    expect(cache.route(entry)).toBe(1);
  });

  it('looks at a likely entry first, and takes it only where it is the name and still known', () => {
    const cache = counting({ entriesMax: 2 });
    const first = find(cache, 'room/one');
    for (const name of ['room/one', 'room/two', 'room/on', 'room/one/x', '']) {
      const bytes = utf8Bytes(name);
      const likely = cache.lookup(bytes, 0, bytes.length, first);
      expect(likely).toBe(cache.lookup(bytes, 0, bytes.length));
      expect(likely === first).toBe(name === 'room/one');
    }
    let others = 0;
    while (first.isKnown) find(cache, `other/${others++}`);
    const bytes = utf8Bytes('room/one');
    const again = cache.lookup(bytes, 0, bytes.length, first);
    expect(again).not.toBe(first);
    expect(again?.name).toBe('room/one');
    expect(again?.isKnown).toBe(true);
  });

  it('keeps an entry in the table that is found by being likely', () => {
    const cache = counting({ entriesMax: 2 });
    const bytes = utf8Bytes('room/one');
    const first = cache.lookup(bytes, 0, bytes.length)!;
    for (let i = 0; i < 20; i++) {
      cache.lookup(bytes, 0, bytes.length, first);
      find(cache, `other/${i}`);
    }
    expect(first.isKnown).toBe(true);
  });

  it('copies the bytes it keeps', () => {
    const cache = counting();
    const packet = Buffer.from('xa/by');
    const entry = cache.lookup(packet, 1, 4)!;
    packet.fill(0);
    expect(entry.bytes).toEqual(utf8Bytes('a/b'));
    expect(entry.bytes.buffer.byteLength).toBe(3);
    expect(find(cache, 'a/b')).toBe(entry);
  });

  it('computes anew only what a changed filter could match', () => {
    const name = 'a/b/c/d/e';
    for (const [filter, concerns] of [
      ['a/b/c/d/e', true],
      ['a/b/c/d/f', false],
      ['a/b/c/d', false],
      ['a/#', true],
      ['a/b/#', true],
      ['a/b/c/#', true],
      ['a/b/c/d/#', true],
      ['a/b/c/d/e/#', true],
      ['a/b/c/x/#', false],
      ['a/b/x/+/e', false],
      ['a/x/c/+/e', false],
      ['a/x/#', false],
      ['x/#', false],
      ['x/b/c/d/+', false],
      ['#', true],
      ['+/b/#', true],
      ['a/+/c/d/e', true],
    ] as const) {
      const cache = counting();
      const entry = find(cache, name);
      cache.route(entry);
      cache.filterChanged(filter);
      expect(cache.route(entry) === 2, filter).toBe(concerns);
    }
  });

  it('keeps answering for an entry that was evicted or never fitted', () => {
    for (const entriesMax of [0, 1]) {
      const cache = counting({ entriesMax });
      const entry = find(cache, 'a/b');
      find(cache, 'other');
      expect(find(cache, 'a/b')).not.toBe(entry);
      expect(cache.route(entry)).toBe(1);
      // Nothing bounds how many of them are held, so they keep no answer.
      expect(cache.route(entry)).toBe(2);
      expect(entry.route).toBeUndefined();
    }
  });

  it('refuses what is no Topic Name, as bytes and as text', () => {
    const cache = counting({ topicLevelsMax: 3, topicBytesMax: 8 });
    for (const name of ['', 'a/+', '#', 'a\0', '1/2/3/4', '123456789']) {
      const bytes = utf8Bytes(name);
      expect(cache.lookup(bytes, 0, bytes.length), name).toBeUndefined();
      expect(cache.lookupText(name), name).toBeUndefined();
    }
    expect(cache.lookup(Uint8Array.of(0x61, 0xc0), 0, 2)).toBeUndefined();
    expect(cache.lookupText('\ud800')).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('stays within its bounds and keeps what is in use', () => {
    const cache = counting({ entriesMax: 100, bytesMax: 1_000_000 });
    const hot = Array.from({ length: 20 }, (_, i) => find(cache, `hot/${i}`));
    for (let i = 0; i < 5000; i++) {
      find(cache, `flood/${i}`);
      expect(find(cache, `hot/${i % 20}`)).toBe(hot[i % 20]);
      expect(cache.size).toBeLessThanOrEqual(100);
    }
    const small = counting({ bytesMax: 20_000 });
    for (let i = 0; i < 100; i++) {
      find(small, `${'long/'.repeat(60)}${i}`);
      expect(small.bytes).toBeLessThanOrEqual(20_000);
    }
    expect(small.size).toBeGreaterThan(0);
    const size = small.size;
    const huge = find(small, 'x'.repeat(30_000));
    expect(small.route(huge)).toBe(1);
    expect(small.size).toBe(size);
  });

  it('tells names apart that share a beginning or an end, of every length', () => {
    const cache = counting();
    for (let length = 1; length < 80; length++) {
      const name = 'n'.repeat(length);
      const others = [0, length >> 1, length - 1].map(
        (at) => `${name.slice(0, at)}m${name.slice(at + 1)}`,
      );
      const entry = find(cache, name);
      for (const other of others) expect(find(cache, other)).not.toBe(entry);
      expect(find(cache, name)).toBe(entry);
    }
  });

  it('keeps answers within its memory, whatever they weigh', () => {
    const bytesMax = 100_000;
    const cache = counting({ bytesMax, bytesOf: () => 10_000 });
    const entries = [];
    for (let i = 0; i < 50; i++) {
      const entry = find(cache, `a/${i}`);
      entries.push(entry);
      expect(cache.route(entry)).toBe(cache.route(entry));
      expect(cache.bytes).toBeLessThanOrEqual(bytesMax);
    }
    expect(entries.filter(({ route }) => route !== undefined).length).toBe(9);
  });

  it('counts no memory for answers that it has let go', () => {
    const cache = counting({ bytesOf: () => 10_000 });
    const empty = cache.bytes;
    const entry = find(cache, 'a/b');
    const alone = cache.bytes;
    cache.route(entry);
    expect(cache.bytes).toBe(alone + 10_000);
    cache.filterChanged('a/b');
    expect(cache.bytes).toBe(alone);
    expect(empty).toBe(0);
  });

  it('does not keep an answer that would drive out many others', () => {
    const cache = counting({ bytesOf: () => 500_000 });
    const entry = find(cache, 'a/b');
    expect(cache.route(entry)).toBe(1);
    expect(cache.route(entry)).toBe(2);
    expect(cache.size).toBe(1);
  });

  it('lets go of answers that no longer hold though nobody publishes', () => {
    const cache = new RouteCache<object>({ ...plenty, compute: () => ({}) });
    const entries = Array.from({ length: 50 }, (_, i) => find(cache, `a/${i}`));
    for (const entry of entries) cache.route(entry);
    cache.filterChanged('a/#');
    for (let i = 0; i < 100; i++) cache.filterChanged('other/#');
    expect(entries.every((entry) => entry.route === undefined)).toBe(true);
  });
});
