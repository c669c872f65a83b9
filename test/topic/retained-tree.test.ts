import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RetainedTree } from '../../src/topic/retained-tree.js';
import { matches } from '../../src/topic/topic-filter.js';
import { topicFilter, topicName } from './arbitraries.js';

function matched<M>(tree: RetainedTree<M>, filter: string): Map<string, M> {
  const found = new Map<string, M>();
  tree.match(filter, (message, name) => {
    expect(found.has(name)).toBe(false);
    found.set(name, message);
  });
  return found;
}

function pulled<M>(messages: Iterator<M | undefined>, count = Number.POSITIVE_INFINITY): M[] {
  const found: M[] = [];
  while (found.length < count) {
    const result = messages.next();
    if (result.done === true) break;
    if (result.value !== undefined) found.push(result.value);
  }
  return found;
}

const change = fc.record({ remove: fc.boolean(), name: topicName });

describe('RetainedTree', () => {
  it('finds what the reference matches, through changes', () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 60 }),
        fc.array(topicFilter, { minLength: 1, maxLength: 12 }),
        (changes, filters) => {
          const tree = new RetainedTree<number>();
          const model = new Map<string, number>();
          changes.forEach(({ remove, name }, i) => {
            expect(tree.get(name)).toBe(model.get(name));
            if (remove) expect(tree.delete(name)).toBe(model.get(name));
            else expect(tree.set(name, i)).toBe(model.get(name));
            if (remove) model.delete(name);
            else model.set(name, i);
            expect(tree.size).toBe(model.size);
          });
          for (const filter of filters) {
            const expected = new Map([...model].filter(([name]) => matches(filter, name)));
            expect(matched(tree, filter)).toEqual(expected);
            const messages = pulled(tree.matcher(filter));
            expect(messages.toSorted()).toEqual([...expected.values()].toSorted());
          }
          for (const name of model.keys()) tree.delete(name);
          expect(tree.isEmpty).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('gives each lasting message once to a matcher, whatever changes meanwhile', () => {
    const rounds = fc.array(fc.tuple(fc.nat(4), fc.array(change, { maxLength: 6 })), {
      maxLength: 15,
    });
    const names = fc.uniqueArray(topicName, { maxLength: 30 });
    fc.assert(
      fc.property(names, topicFilter, rounds, (initial, filter, all) => {
        const tree = new RetainedTree<{ name: string }>();
        for (const name of initial) tree.set(name, { name });
        const lasting = new Set(initial.filter((name) => matches(filter, name)));
        const messages = tree.matcher(filter);
        const found: string[] = [];
        for (const [count, changes] of all) {
          found.push(...pulled(messages, count).map((message) => message.name));
          for (const { remove, name } of changes) {
            if (remove) {
              tree.delete(name);
              lasting.delete(name);
            } else {
              tree.set(name, { name });
            }
          }
        }
        found.push(...pulled(messages).map((message) => message.name));
        for (const name of lasting) expect(found.filter((other) => other === name)).toEqual([name]);
        for (const name of found) expect(matches(filter, name)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('lets a matcher pause where many names are looked at in vain', () => {
    const tree = new RetainedTree<string>();
    for (let i = 0; i < 1000; i++) tree.set(`a/${i}/b`, 'other');
    tree.set('a/1000/c', 'wanted');
    const messages = tree.matcher('+/+/c');
    const first = messages.next();
    expect(first).toEqual({ done: false, value: undefined });
    const all = [...messages];
    expect(all.length).toBeGreaterThan(10);
    expect(all.filter((message) => message !== undefined)).toEqual(['wanted']);
  });

  it('gives a matcher the message of the moment', () => {
    const tree = new RetainedTree<string>();
    tree.set('a/1', 'old 1');
    tree.set('a/2', 'old 2');
    const messages = tree.matcher('a/+');
    expect(messages.next().value).toBe('old 1');
    tree.set('a/2', 'new 2');
    expect(messages.next().value).toBe('new 2');
    expect(messages.next().done).toBe(true);
  });

  it('takes 65,535 levels', () => {
    const tree = new RetainedTree<string>();
    const deepest = new Array(65_535).fill('').join('/');
    tree.set(deepest, 'deep');
    for (const filter of ['#', '+/#', deepest, `${'+/'.repeat(65_534)}+`]) {
      expect([...matched(tree, filter).values()], filter.slice(0, 10)).toEqual(['deep']);
    }
    expect(matched(tree, '+').size).toBe(0);
    expect(tree.delete(deepest)).toBe('deep');
    expect(tree.isEmpty).toBe(true);
  });
});
