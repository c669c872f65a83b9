import type { Permission } from '../../broker/hooks.js';
import { DENIED } from '../../session/client-access.js';
import { DecisionList, type FilterRange, type Verdict } from './decision-list.js';
import { actions, Request, type Rule, verdictOf } from './rule.js';
import { RuleList } from './rule-list.js';
import { resolve } from './topic-pattern.js';
import type { ClientFacts } from './who.js';

const NOT_IN_TOKEN: Verdict = {
  verdict: DENIED,
  place: 'token',
  text: 'what the client authenticated with does not allow it',
};

/** What a token allows: the first permission that matches decides, and no match denies. */
export class PermissionRules {
  readonly list: DecisionList;
  /** Subscriptions that must be written as they stand here. */
  readonly #literals = new Map<string, Verdict>();

  constructor(permissions: readonly Permission[], facts: ClientFacts) {
    const rules = permissions.map(ruleOf);
    permissions.forEach(({ isLiteral, topicFilter }, i) => {
      const rule = rules[i]!;
      if (isLiteral !== true || (rule.requests & Request.Subscribe) === 0) return;
      for (const filter of resolve(topicFilter, facts, rule.effect === 'deny')) {
        const { place, text } = rule;
        const verdict = { verdict: verdictOf(rule), place, text };
        if (!this.#literals.has(filter)) this.#literals.set(filter, verdict);
      }
    });
    const regional = rules.map((rule, i) => (permissions[i]!.isLiteral ? literally(rule) : rule));
    const sets = new RuleList(regional, 'first').setsFor(facts);
    this.list = new DecisionList(sets, () => NOT_IN_TOKEN);
  }

  range(topicFilter: string): FilterRange {
    const literal = this.#literals.get(topicFilter);
    if (literal !== undefined) return { lowest: literal, highest: literal };
    const asked = this.list.range(Request.Subscribe, topicFilter);
    const received = this.list.range(Request.Receive, topicFilter);
    const isLess = received.highest.verdict < asked.highest.verdict;
    return {
      lowest: received.lowest.verdict < asked.lowest.verdict ? received.lowest : asked.lowest,
      highest: isLess ? received.highest : asked.highest,
    };
  }
}

function ruleOf(permission: Permission, index: number): Rule {
  const { effect, action, topicFilter, qos, retain } = permission;
  let requests = actions[action]!;
  if (retain === true) requests &= ~Request.Publish;
  if (retain === false) requests &= ~Request.PublishRetained;
  return {
    effect,
    requests,
    qosMax: qos === undefined ? 2 : (Math.max(0, ...qos) as 0 | 1 | 2),
    who: {},
    topics: [topicFilter],
    place: `token[${index}]`,
    text: `${effect} ${action} ${topicFilter}`,
  };
}

/** It decides about the subscription by its wording; what comes by one that it allows may come. */
function literally(rule: Rule): Rule {
  const requests = rule.effect === 'allow' ? rule.requests & ~Request.Subscribe : 0;
  return { ...rule, requests };
}
