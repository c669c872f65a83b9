import { expect, test } from 'vitest';
import { DecisionList } from '../../../src/extensions/access-control/decision-list.js';
import { Request } from '../../../src/extensions/access-control/rule.js';
import { orderedRule, RuleSet } from '../../../src/extensions/access-control/rule-set.js';
import { SearchBudget } from '../../../src/extensions/access-control/search-budget.js';
import { DENIED } from '../../../src/session/client-access.js';
import { rulesOf } from './rule-lines.js';

function setOf(lines: readonly string[], orderBase: number): RuleSet {
  const set = new RuleSet();
  rulesOf(lines).forEach((rule, i) => {
    for (const topic of rule.topics) set.add(orderedRule(rule, orderBase + i, topic));
  });
  return set;
}

test('a filter that begins with a level is compared with rules that may begin so', () => {
  const others = Array.from({ length: 5000 }, (_, i) => `allow subscribe other${i}/#`);
  const shared = setOf([...others, 'deny subscribe +/secret', 'allow subscribe a/#'], 0);
  const own = setOf(['deny subscribe a/own', 'allow subscribe b/#'], 2500);
  const fallback = { verdict: DENIED, place: 'default', text: '' } as const;
  const list = new DecisionList([shared, own], () => fallback);
  const budget = new SearchBudget({ nowMs: 0, wallMs: () => 0 });
  const whole = budget.left;
  const { lowest, highest } = list.range(Request.Subscribe, 'a/#', budget);
  expect([lowest.verdict, highest.verdict]).toEqual([DENIED, 2]);
  expect(lowest.text).toBe('deny subscribe a/own');
  expect(list.range(Request.Subscribe, 'b/+', budget).lowest.verdict).toBe(2);
  const unnamed = list.range(Request.Subscribe, 'x/+', budget);
  expect([unnamed.lowest.verdict, unnamed.highest.verdict]).toEqual([DENIED, DENIED]);
  expect(whole - budget.left).toBeLessThan(50);
  expect(list.range(Request.Subscribe, '#', budget).highest.verdict).toBe(2);
});
