import type { Rule } from './rule.js';
import { orderedRule, RuleSet } from './rule-set.js';
import type { RuleSource } from './rule-source.js';
import { hasPlaceholder, resolve } from './topic-pattern.js';
import { type ClientFacts, isAbout, type NameSet, type Who } from './who.js';

/** Which of two rules that match decides: the one written last, or first. */
export type Evaluation = 'last' | 'first';

/** Rules about the same clients. */
interface Selection {
  readonly who: Who;
  readonly allowing: Kinds;
  readonly denying: Kinds;
}

interface Kinds {
  readonly fixed: RuleSet;
  /** With placeholders: other filters for each client. */
  readonly patterns: { readonly rule: Rule; readonly order: number; readonly topic: string }[];
}

/**
 * Rules as people write them, in order. Rules about the same clients share one tree, whatever the
 * number of clients; a client finds its own by user name, Client Identifier and groups, so that
 * thousands of rules about others cost it nothing.
 */
export class RuleList implements RuleSource {
  readonly rules: readonly Rule[];
  readonly #byUser = new Map<string, Selection[]>();
  readonly #byClient = new Map<string, Selection[]>();
  readonly #byGroup = new Map<string, Selection[]>();
  readonly #others: Selection[] = [];

  /** Orders are shifted by `orderBase`, so that a list stands behind the source before it. */
  constructor(rules: readonly Rule[], evaluation: Evaluation, orderBase = 0) {
    this.rules = rules;
    const selections = new Map<string, Selection>();
    rules.forEach((rule, i) => {
      const order = orderBase + (evaluation === 'first' ? i : rules.length - 1 - i);
      const key = keyOf(rule.who);
      let selection = selections.get(key);
      if (selection === undefined) {
        selection = { who: rule.who, allowing: newKinds(), denying: newKinds() };
        selections.set(key, selection);
        this.#index(selection);
      }
      const kinds = rule.effect === 'allow' ? selection.allowing : selection.denying;
      for (const topic of rule.topics) {
        if (rule.isVerbatim !== true && hasPlaceholder(topic))
          kinds.patterns.push({ rule, order, topic });
        else kinds.fixed.add(orderedRule(rule, order, topic));
      }
    });
  }

  setsFor(facts: ClientFacts): readonly RuleSet[] {
    const sets: RuleSet[] = [];
    const own = new RuleSet();
    for (const { who, allowing, denying } of this.#candidates(facts)) {
      if (isAbout(who, facts, true)) gather(allowing, facts, true, sets, own);
      if (isAbout(who, facts, false)) gather(denying, facts, false, sets, own);
    }
    if (own.rules.length > 0) sets.push(own);
    return sets;
  }

  #candidates(facts: ClientFacts): Iterable<Selection> {
    const found = new Set(this.#others);
    const add = (selections: readonly Selection[] = []): void => {
      for (const selection of selections) found.add(selection);
    };
    if (facts.userName !== undefined) add(this.#byUser.get(facts.userName));
    add(this.#byClient.get(facts.clientIdentifier));
    if (!facts.isComplete) for (const group of this.#byGroup.keys()) add(this.#byGroup.get(group));
    for (const group of facts.groups) add(this.#byGroup.get(group));
    return found;
  }

  #index(selection: Selection): void {
    const { users, clients, groups } = selection.who;
    if (!enter(this.#byUser, users, selection) && !enter(this.#byClient, clients, selection)) {
      if (!enter(this.#byGroup, groups, selection)) this.#others.push(selection);
    }
  }
}

function newKinds(): Kinds {
  return { fixed: new RuleSet(), patterns: [] };
}

function gather(
  { fixed, patterns }: Kinds,
  facts: ClientFacts,
  allows: boolean,
  sets: RuleSet[],
  own: RuleSet,
): void {
  if (fixed.rules.length > 0) sets.push(fixed);
  for (const { rule, order, topic } of patterns) {
    const takesLevels = !allows || rule.takesLevels === true;
    for (const filter of resolve(topic, facts, takesLevels)) {
      own.add(orderedRule(rule, order, filter));
    }
  }
}

/** Only where all names are plain: otherwise every client has to be asked. */
function enter(
  index: Map<string, Selection[]>,
  names: NameSet | undefined,
  selection: Selection,
): boolean {
  if (names === undefined || names.globs.length > 0) return false;
  for (const name of names.exact) {
    const selections = index.get(name);
    if (selections === undefined) index.set(name, [selection]);
    else selections.push(selection);
  }
  return true;
}

/** The same for rules about the same clients. */
export function keyOf(who: Who): string {
  const names = (set: NameSet | undefined): unknown => set && [[...set.exact].sort(), set.globs];
  return JSON.stringify([
    names(who.users),
    names(who.clients),
    names(who.groups),
    who.addresses?.written,
    names(who.listeners),
    who.anonymous,
    who.plainNames,
  ]);
}
