import { SubscriptionTree } from '../../topic/subscription-tree.js';
import type { JudgedPattern } from './coverage.js';
import { Request, type Rule, verdictOf } from './rule.js';

/** A rule with one of its topics, its placeholders filled in, and its place in the order. */
export interface OrderedRule extends JudgedPattern {
  readonly rule: Rule;
}

export function orderedRule(rule: Rule, order: number, topicFilter: string): OrderedRule {
  return { rule, order, topicFilter, levels: topicFilter.split('/'), verdict: verdictOf(rule) };
}

/** What decides about one Topic Name, for each request. */
export class Decisive {
  publish: OrderedRule | undefined = undefined;
  publishRetained: OrderedRule | undefined = undefined;
  subscribe: OrderedRule | undefined = undefined;
  receive: OrderedRule | undefined = undefined;

  clear(): void {
    this.publish = undefined;
    this.publishRetained = undefined;
    this.subscribe = undefined;
    this.receive = undefined;
  }

  /** Bound once: what a tree visits. */
  readonly consider = (candidate: OrderedRule): void => {
    const { requests } = candidate.rule;
    if ((requests & Request.Publish) !== 0) this.publish = first(this.publish, candidate);
    if ((requests & Request.PublishRetained) !== 0) {
      this.publishRetained = first(this.publishRetained, candidate);
    }
    if ((requests & Request.Subscribe) !== 0) this.subscribe = first(this.subscribe, candidate);
    if ((requests & Request.Receive) !== 0) this.receive = first(this.receive, candidate);
  };
}

function first(one: OrderedRule | undefined, other: OrderedRule): OrderedRule {
  return one === undefined || other.order < one.order ? other : one;
}

/** The rules about one request, in order. */
export interface RulesAbout {
  readonly all: readonly OrderedRule[];
  /** Those whose topic begins with a wildcard, and the others by their first level. */
  readonly wild: readonly OrderedRule[];
  readonly literal: ReadonlyMap<string, readonly OrderedRule[]>;
}

/** Rules that hold for the same clients, found by topic. Tables are built when they are needed. */
export class RuleSet {
  readonly rules: OrderedRule[] = [];
  #tree: SubscriptionTree<OrderedRule> | undefined = undefined;
  readonly #about = new Map<Request, RulesAbout>();

  add(rule: OrderedRule): void {
    this.rules.push(rule);
    this.#about.clear();
    this.#tree?.insert(rule.topicFilter, rule);
  }

  match(topicName: string, visit: (rule: OrderedRule) => void): void {
    this.#tree ??= this.#build();
    this.#tree.match(topicName, visit);
  }

  /** Made once for all clients that the set is about. */
  about(request: Request): RulesAbout {
    const known = this.#about.get(request);
    if (known !== undefined) return known;
    const all = this.rules
      .filter(({ rule }) => (rule.requests & request) !== 0)
      .sort((one, other) => one.order - other.order);
    const wild: OrderedRule[] = [];
    const literal = new Map<string, OrderedRule[]>();
    for (const rule of all) {
      const level = rule.levels[0]!;
      const same = level === '+' || level === '#' ? wild : literal.get(level);
      if (same === undefined) literal.set(level, [rule]);
      else same.push(rule);
    }
    const made = { all, wild, literal };
    this.#about.set(request, made);
    return made;
  }

  #build(): SubscriptionTree<OrderedRule> {
    const tree = new SubscriptionTree<OrderedRule>();
    for (const rule of this.rules) tree.insert(rule.topicFilter, rule);
    return tree;
  }
}
