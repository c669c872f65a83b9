import type { Permission } from '../../broker/hooks.js';
import { DENIED } from '../../session/client-access.js';
import { hasWildcards } from '../../topic/topic-filter.js';
import { DecisionList, type FilterRange, type Verdict } from './decision-list.js';
import { actions, Request, type Rule } from './rule.js';
import { RuleList } from './rule-list.js';
import type { SearchBudget } from './search-budget.js';
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
  readonly #permissions: readonly Permission[];
  readonly #rules: readonly Rule[];
  readonly #facts: ClientFacts;
  /** Subscriptions that some permissions are about as they are written: which those are. */
  readonly #literals = new Map<string, Set<number>>();

  constructor(permissions: readonly Permission[], facts: ClientFacts) {
    this.#permissions = permissions;
    this.#rules = permissions.map(ruleOf);
    this.#facts = facts;
    const regional = this.#rules.map((rule, i) => {
      if (permissions[i]!.isLiteral !== true) return rule;
      this.#noteLiteral(rule, i);
      return literally(rule);
    });
    this.list = this.#listOf(regional);
  }

  range(topicFilter: string, budget?: SearchBudget): FilterRange {
    const list = this.#listFor(topicFilter);
    const asked = list.range(Request.Subscribe, topicFilter, budget);
    const received = list.range(Request.Receive, topicFilter, budget);
    const isLess = received.highest.verdict < asked.highest.verdict;
    return {
      lowest: received.lowest.verdict < asked.lowest.verdict ? received.lowest : asked.lowest,
      highest: isLess ? received.highest : asked.highest,
    };
  }

  #noteLiteral(rule: Rule, index: number): void {
    if ((rule.requests & Request.Subscribe) === 0) return;
    for (const filter of resolve(rule.topics[0]!, this.#facts, rule.effect === 'deny')) {
      const indices = this.#literals.get(filter);
      if (indices === undefined) this.#literals.set(filter, new Set([index]));
      else indices.add(index);
    }
  }

  /** To the one subscription that is written like them, literal permissions are like others. */
  #listFor(topicFilter: string): DecisionList {
    const literals = this.#literals.get(topicFilter);
    if (literals === undefined) return this.list;
    const rules = this.#rules.map((rule, i) =>
      this.#permissions[i]!.isLiteral !== true || literals.has(i) ? rule : literally(rule),
    );
    return this.#listOf(rules);
  }

  #listOf(rules: readonly Rule[]): DecisionList {
    return new DecisionList(new RuleList(rules, 'first').setsFor(this.#facts), () => NOT_IN_TOKEN);
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

/**
 * Its wording decides about subscriptions, and about a Topic Name where it is one. What comes by a
 * subscription that it allows may come.
 */
function literally(rule: Rule): Rule {
  const kept = hasWildcards(rule.topics[0]!) ? 0 : Request.Publish | Request.PublishRetained;
  const received = rule.effect === 'allow' ? Request.Receive : 0;
  return { ...rule, requests: rule.requests & (kept | received) };
}
