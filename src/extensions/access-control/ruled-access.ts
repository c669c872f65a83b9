import {
  type AllowedQoS,
  type ClientAccess,
  DENIED,
  type SubscriptionGrant,
} from '../../session/client-access.js';
import type { QoS } from '../../wire/control-packet.js';
import type { AccessRules } from './access-rules.js';
import { DecisionList, type FilterRange, type Verdict } from './decision-list.js';
import type { DenialLog } from './denial-log.js';
import type { PermissionRules } from './permissions.js';
import { Request } from './rule.js';
import type { OrderedRule } from './rule-set.js';
import type { SearchBudget } from './search-budget.js';
import type { ClientFacts } from './who.js';

/** Topic Names whose decisions one client remembers. */
const REMEMBERED_MAX = 256;
/** Characters of all of them. */
const REMEMBERED_CHARACTERS_MAX = 16_384;

const NOT_TOLD: Verdict = { verdict: 2, place: 'token', text: 'no rule denies it' };
/** The client is away. What it may not have it does not get: it is judged when it is back. */
const MAY_BE_TOLD: Verdict = { verdict: 2, place: 'token', text: 'a token may allow it' };

/**
 * What one client may do by the rules as they are now. A token that speaks of topics takes the
 * place of the rules that allow; those that deny hold for it all the same.
 */
export class RuledAccess implements ClientAccess {
  readonly facts: ClientFacts;
  readonly #rules: AccessRules;
  readonly #list: DecisionList;
  readonly token: PermissionRules | undefined;
  readonly #denials: DenialLog;
  readonly #budget: SearchBudget | undefined;
  #remembered: Map<string, number> | undefined = undefined;
  #rememberedCharacters = 0;
  #lastTopic = '';
  #last = 0;

  constructor(
    facts: ClientFacts,
    rules: AccessRules,
    token: PermissionRules | undefined,
    denials: DenialLog,
    budget?: SearchBudget,
  ) {
    this.facts = facts;
    this.#rules = rules;
    this.token = token;
    this.#denials = denials;
    this.#budget = budget;
    const sets = rules.sources.flatMap((source) => source.setsFor(facts));
    this.#list = new DecisionList(sets, (request, topic) =>
      token === undefined ? this.#fallback(request, topic) : NOT_TOLD,
    );
  }

  mayPublish(topicName: string, qos: QoS, retain: boolean): boolean {
    const decided = this.#decided(topicName);
    const verdict = ((retain ? decided >>> 2 : decided) & 3) - 1;
    const request = retain ? Request.PublishRetained : Request.Publish;
    if (qos <= verdict) {
      const { token } = this;
      if (token?.isByQoS !== true) return true;
      const atQoS = token.verdictAt(qos, request, topicName);
      if (atQoS.verdict !== DENIED) return true;
      this.#denials.denied(this.facts, 'publish', topicName, () => atQoS);
      return false;
    }
    this.#denials.denied(this.facts, 'publish', topicName, () => this.explain(request, topicName));
    return false;
  }

  receiveQoS(topicName: string): AllowedQoS {
    return (((this.#decided(topicName) >>> 4) & 3) - 1) as AllowedQoS;
  }

  subscribe(topicFilter: string): SubscriptionGrant {
    const grant = this.judge(topicFilter);
    if (grant.qosMax === DENIED) {
      this.#denials.denied(this.facts, 'subscribe', topicFilter, () =>
        this.explainFilter(topicFilter),
      );
    }
    return grant;
  }

  judge(topicFilter: string): SubscriptionGrant {
    const { lowest, highest } = this.#range(topicFilter);
    if (highest.verdict === DENIED || this.#isRefusedForItsPart(lowest)) {
      return { qosMax: DENIED, isPartial: true };
    }
    return { qosMax: highest.verdict, isPartial: lowest.verdict < highest.verdict };
  }

  mayUnsubscribe(topicFilter: string): boolean {
    for (const source of this.#rules.sources) {
      const verdict = source.judgeUnsubscribe?.(topicFilter, this.facts);
      if (verdict === undefined) continue;
      if (verdict.verdict !== DENIED) return true;
      this.#denials.denied(this.facts, 'unsubscribe', topicFilter, () => verdict);
      return false;
    }
    return true;
  }

  /** What decides about a PUBLISH or a message to be received, and how. */
  explain(request: Request, topicName: string): Verdict {
    const byRules = this.#list.verdict(request, topicName);
    const byToken = this.token?.verdict(request, topicName);
    return lower(byRules, byToken);
  }

  /** The same for SUBSCRIBE. */
  explainFilter(topicFilter: string): Verdict {
    const { lowest, highest } = this.#range(topicFilter);
    if (highest.verdict !== DENIED && this.#isRefusedForItsPart(lowest)) {
      const text = `${lowest.text} (a part of it alone, and wildcard_subscriptions is refuse)`;
      return { ...lowest, text };
    }
    return highest;
  }

  /** For everything that the filter matches. */
  rangeOf(request: Request, topicFilter: string): FilterRange {
    return this.#list.range(request, topicFilter);
  }

  #isRefusedForItsPart(lowest: Verdict): boolean {
    return lowest.verdict === DENIED && this.#rules.wildcardSubscriptions === 'refuse';
  }

  #range(topicFilter: string): FilterRange {
    const budget = this.#budget;
    const asked = this.#list.range(Request.Subscribe, topicFilter, budget);
    const received = this.#list.range(Request.Receive, topicFilter, budget);
    const token = this.token?.range(topicFilter, budget);
    return {
      lowest: lower(lower(asked.lowest, received.lowest), token?.lowest),
      highest: lower(lower(asked.highest, received.highest), token?.highest),
    };
  }

  #fallback(request: Request, topic: string): Verdict {
    const { facts } = this;
    const isAboutReceiving = request === Request.Subscribe || request === Request.Receive;
    if (!facts.isComplete && isAboutReceiving) return MAY_BE_TOLD;
    for (const source of this.#rules.sources) {
      const verdict =
        request === Request.Subscribe ? source.judgeFilter?.(topic, facts) : undefined;
      const answer = verdict ?? source.fallback?.(request, facts, topic);
      if (answer !== undefined) return answer;
    }
    return this.#rules.fallback(request, facts, topic);
  }

  /** Two bits each: publish, publish with RETAIN, receive; each is the highest QoS plus one. */
  #decided(topicName: string): number {
    if (topicName === this.#lastTopic) return this.#last;
    const remembered = this.#remembered?.get(topicName);
    const decided = remembered ?? this.#remember(topicName, this.#decide(topicName));
    this.#lastTopic = topicName;
    this.#last = decided;
    return decided;
  }

  #decide(topicName: string): number {
    const { publish, publishRetained, receive } = this.#list.decide(topicName);
    const one = (request: Request, rule: OrderedRule | undefined): number => {
      let verdict = rule?.verdict;
      if (this.token !== undefined) {
        const byToken = this.token.verdict(request, topicName).verdict;
        verdict = Math.min(verdict ?? 2, byToken) as AllowedQoS;
      }
      return (verdict ?? this.#fallback(request, topicName).verdict) + 1;
    };
    return (
      one(Request.Publish, publish) |
      (one(Request.PublishRetained, publishRetained) << 2) |
      (one(Request.Receive, receive) << 4)
    );
  }

  #remember(topicName: string, decided: number): number {
    this.#remembered ??= new Map();
    this.#rememberedCharacters += topicName.length;
    const isFull =
      this.#remembered.size >= REMEMBERED_MAX ||
      this.#rememberedCharacters > REMEMBERED_CHARACTERS_MAX;
    if (isFull) {
      this.#remembered.clear();
      this.#rememberedCharacters = topicName.length;
    }
    this.#remembered.set(topicName, decided);
    return decided;
  }
}

function lower(one: Verdict, other: Verdict | undefined): Verdict {
  return other !== undefined && other.verdict < one.verdict ? other : one;
}
