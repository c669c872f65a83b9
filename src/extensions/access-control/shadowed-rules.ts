import { DENIED } from '../../session/client-access.js';
import { coverageOf, type JudgedPattern } from './coverage.js';
import { Request, type Rule } from './rule.js';
import { keyOf } from './rule-list.js';

const REQUESTS = Object.values(Request);

/** A rule that never decides, because those that are asked before it say it all. */
export interface ShadowedRule {
  readonly rule: Rule;
  /** One of them. */
  readonly by: Rule;
}

/**
 * Rules, in the order in which they are asked, that can never decide: for the same clients, or for
 * all, rules before them match all that they match. A placeholder counts as a level of its own.
 */
export function shadowedRules(inOrder: readonly Rule[]): readonly ShadowedRule[] {
  const everybody = keyOf({});
  const earlier = new Map<string, Rule[]>();
  const shadowed: ShadowedRule[] = [];
  for (const rule of inOrder) {
    const key = keyOf(rule.who);
    const before = [...(earlier.get(everybody) ?? [])];
    if (key !== everybody) before.push(...(earlier.get(key) ?? []));
    const by = before.length === 0 ? undefined : shadowOf(rule, before);
    if (by !== undefined) shadowed.push({ rule, by });
    const same = earlier.get(key);
    if (same === undefined) earlier.set(key, [rule]);
    else same.push(rule);
  }
  return shadowed;
}

function shadowOf(rule: Rule, before: readonly Rule[]): Rule | undefined {
  let by: Rule | undefined;
  for (const request of REQUESTS) {
    if ((rule.requests & request) === 0) continue;
    const patterns = before
      .filter(({ requests }) => (requests & request) !== 0)
      .flatMap((one) => one.topics.map((topic, i) => patternOf(one, topic, i)));
    for (const topic of rule.topics) {
      const { lowest, highestBy } = coverageOf(topic, patterns, DENIED);
      if (lowest === DENIED || highestBy === undefined) return undefined;
      by ??= highestBy.rule;
    }
  }
  return by;
}

function patternOf(rule: Rule, topic: string, order: number): JudgedPattern & { rule: Rule } {
  return { rule, topicFilter: topic, levels: topic.split('/'), order, verdict: 2 };
}
