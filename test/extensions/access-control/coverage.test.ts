import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Coverage,
  coverageOf,
  type JudgedPattern,
} from '../../../src/extensions/access-control/coverage.js';
import { type AllowedQoS, DENIED } from '../../../src/session/client-access.js';
import { matches } from '../../../src/topic/topic-filter.js';
import { topicFilter } from '../../topic/arbitraries.js';

function pattern(topic: string, verdict: AllowedQoS, order: number): JudgedPattern {
  return { topicFilter: topic, levels: topic.split('/'), verdict, order };
}

function coverage(
  filter: string,
  rules: readonly (readonly [string, AllowedQoS])[],
  fallback: AllowedQoS = DENIED,
): readonly [AllowedQoS, AllowedQoS] {
  const patterns = rules.map(([topic, verdict], i) => pattern(topic, verdict, i));
  const { lowest, highest } = coverageOf(filter, patterns, fallback);
  return [lowest, highest];
}

/** Every name of these levels, as many as patterns of four levels can tell apart. */
const LEVELS = ['a', 'b', '', '$x', 'other'];
function allNames(depth: number): string[] {
  let front = LEVELS;
  const names = [...front];
  for (let i = 1; i < depth; i++) {
    front = front.flatMap((name) => LEVELS.map((level) => `${name}/${level}`));
    names.push(...front);
  }
  return names.filter((name) => name !== '');
}
const names = allNames(5);

/** By trying all names: what the walk must find. */
function bruteForce(
  filter: string,
  patterns: readonly JudgedPattern[],
  fallback: AllowedQoS,
): Pick<Coverage, 'lowest' | 'highest'> {
  let lowest: AllowedQoS = 2;
  let highest: AllowedQoS = DENIED;
  for (const name of names) {
    if (!matches(filter, name)) continue;
    const first = patterns.find((one) => matches(one.topicFilter, name));
    const verdict = first?.verdict ?? fallback;
    if (verdict < lowest) lowest = verdict;
    if (verdict > highest) highest = verdict;
  }
  return { lowest, highest };
}

const level = fc.constantFrom('a', 'b', '', '$x', '+', '+');
const filter = fc
  .tuple(fc.array(level, { minLength: 0, maxLength: 4 }), fc.constantFrom([], ['#']))
  .map(([front, last]) => [...front, ...last].join('/'))
  .filter((text) => text !== '');
const verdict = fc.constantFrom<AllowedQoS[]>(-1, 0, 1, 2);

describe('what the rules say to everything that a filter matches', () => {
  test('is what trying all names finds', () => {
    const rules = fc.array(fc.tuple(filter, verdict), { maxLength: 6 });
    fc.assert(
      fc.property(filter, rules, verdict, (asked, written, fallback) => {
        const patterns = written.map(([topic, one], i) => pattern(topic, one, i));
        const { lowest, highest } = coverageOf(asked, patterns, fallback);
        expect({ lowest, highest }).toEqual(bruteForce(asked, patterns, fallback));
      }),
      { numRuns: 600 },
    );
  });

  test.each<[string, readonly (readonly [string, AllowedQoS])[], AllowedQoS, AllowedQoS]>([
    ['#', [['#', 2]], 2, 2],
    ['#', [['home/#', 2]], -1, 2],
    ['home/#', [['home/#', 1]], 1, 1],
    // "home/#" matches "home" too, "home/+/#" does not.
    ['home/#', [['home/+/#', 2]], -1, 2],
    [
      'home/#',
      [
        ['home', 2],
        ['home/+/#', 2],
      ],
      2,
      2,
    ],
    ['home/+', [['home/a', 2]], -1, 2],
    [
      '+/a',
      [
        ['$SYS/a', -1],
        ['+/a', 2],
      ],
      2,
      2,
    ],
    ['$SYS/#', [['#', 2]], -1, -1],
    ['$SYS/#', [['$SYS/#', 0]], 0, 0],
    [
      'a/+',
      [
        ['a/b', -1],
        ['a/+', 2],
      ],
      -1,
      2,
    ],
    [
      'a/b',
      [
        ['a/+', 2],
        ['a/b', -1],
      ],
      2,
      2,
    ],
    [
      '+',
      [
        ['/#', -1],
        ['#', 2],
      ],
      2,
      2,
    ],
    ['x/#', [['y/#', 2]], -1, -1],
  ])('%s under %j', (asked, rules, lowest, highest) => {
    expect(coverage(asked, rules)).toEqual([lowest, highest]);
  });

  test('a rule too narrow to matter for a literal level costs nothing to others', () => {
    const many = Array.from({ length: 5000 }, (_, i) => [`device/${i}/#`, 2] as const);
    expect(coverage('device/4711/state', many)).toEqual([2, 2]);
    expect(coverage('device/+/state', many)).toEqual([-1, 2]);
    expect(coverage('#', many)).toEqual([-1, 2]);
  });

  test('patterns that would take for ever are judged to be a part', () => {
    const deep = 40;
    const rules = Array.from({ length: deep }, (_, at) => {
      const levels = Array.from({ length: deep }, (__, i) => (i === at ? 'a' : '+'));
      return [levels.join('/'), 2] as const;
    });
    const asked = Array.from({ length: deep }, () => '+').join('/');
    expect(coverage(asked, [...rules, [asked, 2]])).toEqual([-1, 2]);
  });

  test('any two filters can be compared', () => {
    fc.assert(
      fc.property(topicFilter, (asked) => {
        expect(coverage(asked, [[asked, 1]])).toEqual([1, 1]);
      }),
    );
  });
});
