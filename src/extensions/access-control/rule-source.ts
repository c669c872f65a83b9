import type { Verdict } from './decision-list.js';
import type { Request } from './rule.js';
import type { RuleSet } from './rule-set.js';
import type { ClientFacts } from './who.js';

/** Rules of one origin; the orders of their rules say which source is asked first. */
export interface RuleSource {
  setsFor(facts: ClientFacts): readonly RuleSet[];
  /** Where the source has an answer of its own to what no rule decides. */
  fallback?(request: Request, facts: ClientFacts, topic: string): Verdict | undefined;
  /** SUBSCRIBE, where rules name filters and not what they match. */
  judgeFilter?(topicFilter: string, facts: ClientFacts): Verdict | undefined;
  judgeUnsubscribe?(topicFilter: string, facts: ClientFacts): Verdict | undefined;
}
