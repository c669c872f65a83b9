import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InboundTopicAliases, OutboundTopicAliases } from '../../src/topic/topic-alias.js';

describe('InboundTopicAliases', () => {
  it('keeps what was set last, within its maximum [MQTT-3.3.2-8] [MQTT-3.3.2-12]', () => {
    const aliases = new InboundTopicAliases<string>(3);
    expect(aliases.get(1)).toBeUndefined();
    expect(aliases.set(3, 'c')).toBe(true);
    expect(aliases.set(1, 'a')).toBe(true);
    expect(aliases.set(3, 'd')).toBe(true);
    expect(aliases.set(0, 'x')).toBe(false);
    expect(aliases.set(4, 'x')).toBe(false);
    expect([0, 1, 2, 3, 4].map((alias) => aliases.get(alias))).toEqual([
      undefined,
      'a',
      undefined,
      'd',
      undefined,
    ]);
  });

  it('takes none when the maximum is 0', () => {
    const aliases = new InboundTopicAliases<string>(0);
    expect(aliases.set(1, 'a')).toBe(false);
    expect(aliases.get(1)).toBeUndefined();
  });
});

describe('OutboundTopicAliases', () => {
  it('tells a peer each alias before it uses it, up to the maximum [MQTT-3.3.2-11]', () => {
    const use = fc.record({ key: fc.nat(12), lost: fc.boolean() });
    fc.assert(
      fc.property(fc.nat(4), fc.array(use, { maxLength: 300 }), (maximum, uses) => {
        const aliases = new OutboundTopicAliases<number>(maximum);
        const peer = new Map<number, number>();
        for (const { key, lost } of uses) {
          const assigned = aliases.assign(key);
          if (assigned === 0) continue;
          expect(assigned.alias).toBeGreaterThanOrEqual(1);
          expect(assigned.alias).toBeLessThanOrEqual(maximum);
          if (assigned.isNew && lost) aliases.notTold(key);
          else if (assigned.isNew) peer.set(assigned.alias, key);
          else expect(peer.get(assigned.alias)).toBe(key);
        }
      }),
    );
  });

  it('gives the first names an alias and keeps it while it is used', () => {
    const aliases = new OutboundTopicAliases<string>(2);
    expect(aliases.assign('a')).toMatchObject({ alias: 1, isNew: true });
    expect(aliases.assign('a')).toMatchObject({ alias: 1, isNew: false });
    expect(aliases.assign('b')).toMatchObject({ alias: 2, isNew: true });
    expect(aliases.assign('c')).toBe(0);
    expect(aliases.assign('b')).toMatchObject({ alias: 2, isNew: false });
  });

  it('gives the alias of the name idle the longest to another', () => {
    const aliases = new OutboundTopicAliases<string>(2);
    aliases.assign('a');
    aliases.assign('b');
    for (let i = 0; i < 8; i++) aliases.assign('a');
    expect(aliases.assign('c')).toMatchObject({ alias: 2, isNew: true });
    expect(aliases.assign('a')).toMatchObject({ alias: 1, isNew: false });
    expect(aliases.assign('b')).toBe(0);
  });

  it('takes an alias only from the name that is idle the longest', () => {
    const keys = fc.array(fc.nat(3), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(keys, (uses) => {
        const aliases = new OutboundTopicAliases<number>(4);
        const recency: number[] = [];
        const use = (key: number): number => {
          const assigned = aliases.assign(key);
          if (recency.includes(key)) recency.splice(recency.indexOf(key), 1);
          recency.push(key);
          return assigned === 0 ? 0 : assigned.alias;
        };
        const aliasOf = new Map([0, 1, 2, 3].map((key) => [key, use(key)]));
        for (const key of uses) expect(use(key)).toBe(aliasOf.get(key));
        // Keep the newest in use until the others are idle for long enough; then they go in order.
        const newest = recency[3]!;
        for (let i = 0; i < 20; i++) use(newest);
        const victims = recency.slice(0, 3).map((key) => aliasOf.get(key));
        expect([100, 101, 102].map((key) => use(key))).toEqual(victims);
      }),
    );
  });

  it('serves the first names when more names than aliases come in turn', () => {
    const aliases = new OutboundTopicAliases<number>(10);
    let known = 0;
    for (let i = 0; i < 2000; i++) {
      const assigned = aliases.assign(i % 20);
      if (assigned !== 0 && !assigned.isNew) known++;
    }
    expect(known).toBe(990);
  });

  it('assigns none when the maximum is 0', () => {
    expect(new OutboundTopicAliases<string>(0).assign('a')).toBe(0);
  });
});
