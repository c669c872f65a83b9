import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SubscriptionTree } from '../../src/topic/subscription-tree.js';
import { matches } from '../../src/topic/topic-filter.js';
import { topicFilter, topicName } from './arbitraries.js';

function matched<T>(tree: SubscriptionTree<T>, name: string): T[] {
  const values: T[] = [];
  tree.match(name, (value) => values.push(value));
  return values;
}

const change = fc.record({
  remove: fc.boolean(),
  filter: topicFilter,
  value: fc.nat(3),
});

describe('SubscriptionTree', () => {
  it('matches what the reference matches, through insertions and removals', () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 60 }),
        fc.array(topicName, { minLength: 1, maxLength: 12 }),
        (changes, names) => {
          const tree = new SubscriptionTree<number>();
          const model = new Map<string, [string, number]>();
          for (const { remove, filter, value } of changes) {
            const pair = `${value} ${filter}`;
            if (remove) {
              expect(tree.remove(filter, value)).toBe(model.delete(pair));
            } else {
              tree.insert(filter, value);
              model.set(pair, [filter, value]);
            }
            expect(tree.size).toBe(model.size);
          }
          for (const name of names) {
            const expected = [...model.values()].filter(([filter]) => matches(filter, name));
            const values = expected.map(([, value]) => value);
            expect(matched(tree, name).toSorted()).toEqual(values.toSorted());
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('holds nothing when all is removed, in any order', () => {
    fc.assert(
      fc.property(
        fc.array(topicFilter, { maxLength: 30 }),
        fc.infiniteStream(fc.nat()),
        (all, seed) => {
          const tree = new SubscriptionTree<string>();
          for (const filter of all) tree.insert(filter, filter);
          const order = new Set(all);
          for (const filter of [...order].toSorted(() => (seed.next().value % 2 === 0 ? 1 : -1))) {
            expect(tree.remove(filter, filter)).toBe(true);
            expect(tree.remove(filter, filter)).toBe(false);
          }
          expect(tree.size).toBe(0);
          expect(tree.isEmpty).toBe(true);
        },
      ),
    );
  });

  it('holds many values on one filter, and lets each go', () => {
    for (const filter of ['a/b', 'a/+', 'a/#']) {
      const tree = new SubscriptionTree<{ n: number }>();
      const values = Array.from({ length: 100_000 }, (_, n) => ({ n }));
      for (const value of values) tree.insert(filter, value);
      expect(matched(tree, 'a/b').length).toBe(values.length);
      for (const value of values.slice(1)) tree.remove(filter, value);
      expect(matched(tree, 'a/b')).toEqual([values[0]]);
    }
  });

  it('takes 65,535 levels', () => {
    const tree = new SubscriptionTree<string>();
    const deepest = new Array(65_535).fill('').join('/');
    const wildcards = new Array(32_768).fill('+').join('/');
    for (const filter of [deepest, wildcards, `${wildcards}/#`, '#']) tree.insert(filter, filter);
    expect(matched(tree, deepest).length).toBe(3);
    expect(matched(tree, 'x/'.repeat(32_767)).length).toBe(3);
    for (const filter of [deepest, wildcards, `${wildcards}/#`, '#']) tree.remove(filter, filter);
    expect(tree.isEmpty).toBe(true);
  });

  it('may hold values that are sets', () => {
    const tree = new SubscriptionTree<Set<number>>();
    const [one, two] = [new Set([1, 2]), new Set([3])];
    tree.insert('a', one);
    expect(matched(tree, 'a')).toEqual([one]);
    tree.insert('a', two);
    expect(matched(tree, 'a')).toEqual([one, two]);
  });

  it('lets a visit change what is visited', () => {
    const tree = new SubscriptionTree<number>();
    for (let i = 0; i < 5; i++) {
      tree.insert('a/b', i);
      tree.insert('a/#', 10 + i);
    }
    const seen: number[] = [];
    tree.match('a/b', (value) => {
      seen.push(value);
      tree.remove(value < 10 ? 'a/b' : 'a/#', value);
    });
    expect(seen).toEqual([0, 1, 2, 3, 4, 10, 11, 12, 13, 14]);
    expect(tree.isEmpty).toBe(true);
  });
});
