import type { AllowedQoS } from '../../session/client-access.js';
import { hasWildcards } from '../../topic/topic-filter.js';
import { type Coverage, coverageOf } from './coverage.js';
import type { Request } from './rule.js';
import { Decisive, type OrderedRule, type RuleSet } from './rule-set.js';
import type { SearchBudget } from './search-budget.js';

/** What decided, for people: file and line, and the rule as it was written. */
export interface Reason {
  readonly place: string;
  readonly text: string;
}

/** A decision and what it rests on. */
export interface Verdict extends Reason {
  readonly verdict: AllowedQoS;
}

/** The least and the most that is allowed of all that a Topic Filter matches. */
export interface FilterRange {
  readonly lowest: Verdict;
  readonly highest: Verdict;
}

/** The rules of one client in order, and what holds where none matches. */
export class DecisionList {
  readonly #sets: readonly RuleSet[];
  readonly #fallback: (request: Request, topic: string) => Verdict;
  readonly #decisive = new Decisive();
  /** By request: made when a filter is judged that begins with a wildcard. */
  readonly #patterns = new Map<Request, readonly OrderedRule[]>();

  constructor(sets: readonly RuleSet[], fallback: (request: Request, topic: string) => Verdict) {
    this.#sets = sets;
    this.#fallback = fallback;
  }

  /** The rules that decide about a Topic Name; valid until the next call. */
  decide(topicName: string): Decisive {
    const decisive = this.#decisive;
    decisive.clear();
    for (const set of this.#sets) set.match(topicName, decisive.consider);
    return decisive;
  }

  verdict(request: Request, topicName: string): Verdict {
    return this.#of(request, topicName, ruleFor(this.decide(topicName), request));
  }

  /** For everything that the filter matches. Without a budget it may take its time. */
  range(request: Request, topicFilter: string, budget?: SearchBudget): FilterRange {
    if (!hasWildcards(topicFilter)) {
      const verdict = this.verdict(request, topicFilter);
      return { lowest: verdict, highest: verdict };
    }
    const fallback = this.#fallback(request, topicFilter);
    const patterns = this.#patternsFor(request, topicFilter);
    const { verdict } = fallback;
    const coverage: Coverage<OrderedRule> = coverageOf(
      topicFilter,
      patterns,
      verdict,
      budget?.left,
    );
    budget?.spend(coverage.steps);
    const { lowest, highest, lowestBy, highestBy } = coverage;
    return {
      lowest: { ...(lowestBy === undefined ? fallback : reasonOf(lowestBy)), verdict: lowest },
      highest: { ...(highestBy === undefined ? fallback : reasonOf(highestBy)), verdict: highest },
    };
  }

  #of(request: Request, topic: string, decisive: OrderedRule | undefined): Verdict {
    if (decisive === undefined) return this.#fallback(request, topic);
    return { ...reasonOf(decisive), verdict: decisive.verdict };
  }

  /** Those that may match what the filter matches, in order. */
  #patternsFor(request: Request, topicFilter: string): readonly OrderedRule[] {
    const [level = ''] = topicFilter.split('/', 1);
    if (level === '+' || level === '#') return this.#patternsOf(request);
    return inOrder(
      this.#sets.flatMap((set) => {
        const { wild, literal } = set.about(request);
        return [wild, literal.get(level) ?? []];
      }),
    );
  }

  #patternsOf(request: Request): readonly OrderedRule[] {
    let patterns = this.#patterns.get(request);
    if (patterns === undefined) {
      patterns = inOrder(this.#sets.map((set) => set.about(request).all));
      this.#patterns.set(request, patterns);
    }
    return patterns;
  }
}

/** A single list is not copied. */
function inOrder(lists: readonly (readonly OrderedRule[])[]): readonly OrderedRule[] {
  const [first = [], ...others] = lists.filter(({ length }) => length > 0);
  if (others.length === 0) return first;
  return [first, ...others].flat().sort((one, other) => one.order - other.order);
}

function ruleFor(decisive: Decisive, request: Request): OrderedRule | undefined {
  switch (request) {
    case 1:
      return decisive.publish;
    case 2:
      return decisive.publishRetained;
    case 4:
      return decisive.subscribe;
    case 8:
      return decisive.receive;
  }
}

function reasonOf({ rule }: OrderedRule): Reason {
  return { place: rule.place, text: rule.text };
}
