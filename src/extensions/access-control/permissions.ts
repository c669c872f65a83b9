import type { Permission } from '../../broker/hooks.js';
import { DENIED } from '../../session/client-access.js';
import { hasWildcards } from '../../topic/topic-filter.js';
import type { QoS } from '../../wire/control-packet.js';
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

const ALL_QOS: readonly QoS[] = [0, 1, 2];

/**
 * What a token allows. Where its permissions name QoS, each QoS is looked up by itself: who may
 * publish at 1 alone may not at 0. Of a subscription the highest QoS that is allowed counts.
 */
export class PermissionRules {
  /** By QoS: one for all where no permission names any. */
  readonly #lists: readonly PermissionsAtQoS[];

  constructor(permissions: readonly Permission[], facts: ClientFacts) {
    const names = permissions.some(({ qos }) => qos !== undefined);
    const all = permissions.map((permission, i) => ({ permission, rule: ruleOf(permission, i) }));
    const listAt = (about: QoS): PermissionsAtQoS =>
      new PermissionsAtQoS(
        all.filter(({ permission: { qos } }) => qos?.includes(about) !== false),
        facts,
      );
    this.#lists = names ? ALL_QOS.map(listAt) : [listAt(2)];
  }

  /** The highest QoS that is allowed, and by what. */
  verdict(request: Request, topicName: string): Verdict {
    return highest(this.#lists.map(({ list }) => list.verdict(request, topicName)));
  }

  verdictAt(qos: QoS, request: Request, topicName: string): Verdict {
    return (this.#lists[qos] ?? this.#lists[0]!).list.verdict(request, topicName);
  }

  /** Whether `verdict` tells less than `verdictAt`. */
  get isByQoS(): boolean {
    return this.#lists.length > 1;
  }

  range(topicFilter: string, budget?: SearchBudget): FilterRange {
    const ranges = this.#lists.map((list) => list.range(topicFilter, budget));
    return {
      lowest: highest(ranges.map(({ lowest }) => lowest)),
      highest: highest(ranges.map((range) => range.highest)),
    };
  }
}

/** By QoS, where there are several; what the highest says that is allowed at all. */
function highest(verdicts: readonly Verdict[]): Verdict {
  for (let qos = verdicts.length - 1; qos > 0; qos--) {
    const verdict = verdicts[qos]!;
    if (verdict.verdict !== DENIED) return { ...verdict, verdict: qos as QoS };
  }
  const last = verdicts[0]!;
  return verdicts.length > 1 && last.verdict !== DENIED ? { ...last, verdict: 0 } : last;
}

/** Permissions about one QoS: the first that matches decides, and no match denies. */
class PermissionsAtQoS {
  readonly list: DecisionList;
  readonly #permissions: readonly Permission[];
  readonly #rules: readonly Rule[];
  readonly #facts: ClientFacts;
  /** Subscriptions that some permissions are about as they are written: which those are. */
  readonly #literals = new Map<string, Set<number>>();

  constructor(
    about: readonly { readonly permission: Permission; readonly rule: Rule }[],
    facts: ClientFacts,
  ) {
    const permissions = about.map(({ permission }) => permission);
    this.#permissions = permissions;
    this.#rules = about.map(({ rule }) => rule);
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
  const { effect, action, topicFilter, retain } = permission;
  let requests = actions[action]!;
  if (retain === true) requests &= ~Request.Publish;
  if (retain === false) requests &= ~Request.PublishRetained;
  return {
    effect,
    requests,
    qosMax: 2,
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
