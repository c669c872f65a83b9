import { expect, test } from 'vitest';
import { cases } from '../../bench/cases/catalog.js';
import { Comparison, costOf } from '../../bench/compare/comparison.js';
import { judgeGoals } from '../../bench/compare/goals.js';
import { median, medians } from '../../bench/compare/medians.js';
import { costTable } from '../../bench/compare/table.js';

const benchCase = cases.find(({ name }) => name === 'pairs-qos0')!;

test('the median of an even number lies between the two in the middle', () => {
  expect(median([9, 1, 3])).toBe(3);
  expect(median([4, 1, 3, 100])).toBe(3.5);
});

test('each number has its own median', () => {
  const runs = [
    { perSecond: 10, p50Ms: 3 },
    { perSecond: 30, p50Ms: 1 },
    { perSecond: 20, p50Ms: 2 },
  ];
  expect(medians(runs)).toMatchObject({ perSecond: 20, p50Ms: 2, failure: undefined });
});

test('one failed run fails the case and its cost', () => {
  const result = medians([{ brokerMicroseconds: 1 }, { brokerMicroseconds: 1, failure: 'lost' }]);
  expect(result.failure).toBe('lost');
  expect(costOf(result)).toBeUndefined();
});

function comparison(dunlin: number, mosquitto: number): Comparison {
  const made = new Comparison(benchCase);
  made.add('dunlin', { brokerMicroseconds: dunlin, perSecond: 1 });
  made.add('mosquitto', { brokerMicroseconds: mosquitto, perSecond: 1 });
  return made;
}

test('the table tells how many times dearer the others are', () => {
  const rows = costTable([comparison(0.5, 6)], ['dunlin', 'mosquitto']).split('\n');
  expect(rows[2]).toMatch(/^\| pairs-qos0 .* 0\.50 \| +6\.00 \| +12\.0 \|$/);
});

test('a failure stands in the place of a cost', () => {
  const made = comparison(0.5, 6);
  made.add('mosquitto', { failure: 'lost' });
  expect(costTable([made], ['dunlin', 'mosquitto'])).toContain('FAILED');
});

test('goals are judged for the cases that ran', () => {
  const goal = (mosquitto: number) =>
    judgeGoals([comparison(1, mosquitto)]).map(({ caseName, isMet }) => [caseName, isMet]);
  expect(goal(11)).toEqual([['pairs-qos0', true]]);
  expect(goal(9)).toEqual([['pairs-qos0', false]]);
});
