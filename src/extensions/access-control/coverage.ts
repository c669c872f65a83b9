import { type AllowedQoS, DENIED } from '../../session/client-access.js';

/** A pattern of a rule, as levels, and what the rule says to what it matches. */
export interface JudgedPattern {
  readonly topicFilter: string;
  readonly levels: readonly string[];
  /** The lower of two that match decides. */
  readonly order: number;
  readonly verdict: AllowedQoS;
}

/** The verdicts over all Topic Names that a filter matches. */
export interface Coverage<P extends JudgedPattern = JudgedPattern> {
  readonly lowest: AllowedQoS;
  readonly highest: AllowedQoS;
  /** Patterns that gave them; undefined where it was the fallback, or the search was given up. */
  readonly lowestBy: P | undefined;
  readonly highestBy: P | undefined;
}

/** Steps of one search; it takes more only where many patterns have `+` in different levels. */
const STEPS_MAX = 50_000;
/** A level that no pattern names. */
const OTHER = '\0';

/**
 * What the rules say to everything that a filter matches: exactly, by walking level by level
 * through all that can differ. At each level there are the literals that patterns name there, and
 * one more that stands for all others. A search that takes too long is judged to be a part: some
 * allowed, some denied. Patterns come in order.
 */
export function coverageOf<P extends JudgedPattern>(
  topicFilter: string,
  patterns: readonly P[],
  fallback: AllowedQoS,
): Coverage<P> {
  const search = new Search<P>(topicFilter.split('/'), fallback);
  search.walk(0, patterns, undefined, false);
  return search;
}

class Search<P extends JudgedPattern> implements Coverage<P> {
  lowest: AllowedQoS = 2;
  highest: AllowedQoS = DENIED;
  lowestBy: P | undefined = undefined;
  highestBy: P | undefined = undefined;
  readonly #filter: readonly string[];
  readonly #fallback: AllowedQoS;
  #steps = 0;

  constructor(filter: readonly string[], fallback: AllowedQoS) {
    this.#filter = filter;
    this.#fallback = fallback;
  }

  /**
   * All Topic Names that begin with the levels taken so far. `alive` are the patterns that these
   * match, in order; `settled` the first that matches whatever follows. `isEmpty`: the one level
   * so far is the empty one, so a name cannot end here.
   */
  walk(depth: number, alive: readonly P[], settled: P | undefined, isEmpty: boolean): void {
    if (this.lowest === DENIED && this.highest === 2) return;
    if (++this.#steps > STEPS_MAX) {
      this.lowest = DENIED;
      this.highest = 2;
      return;
    }
    if (depth > 0 && alive.length === 0) {
      if (!isEmpty || this.#filter[depth] !== undefined || this.#isMulti(depth)) {
        this.#found(settled);
      }
      return;
    }
    const level = this.#isMulti(depth) ? '#' : this.#filter[depth];
    if (depth > 0 && !isEmpty && (level === undefined || level === '#')) {
      this.#ends(depth, alive, settled);
    }
    if (level === undefined) return;
    for (const taken of this.#choices(depth, alive, level)) {
      this.#take(taken, depth, alive, settled);
    }
  }

  #isMulti(depth: number): boolean {
    const last = this.#filter.length - 1;
    return depth >= last && this.#filter[last] === '#';
  }

  /** The Topic Name that ends here; `a/#` matches `a`. */
  #ends(depth: number, alive: readonly P[], settled: P | undefined): void {
    this.#found(alive.find((p) => p.levels.length === depth || p.levels[depth] === '#') ?? settled);
  }

  #found(pattern: P | undefined): void {
    const verdict = pattern?.verdict ?? this.#fallback;
    if (verdict < this.lowest) {
      this.lowest = verdict;
      this.lowestBy = pattern;
    }
    if (verdict > this.highest) {
      this.highest = verdict;
      this.highestBy = pattern;
    }
  }

  #choices(depth: number, alive: readonly P[], level: string): Iterable<string> {
    if (level !== '+' && level !== '#') return [level];
    const choices = new Set([OTHER]);
    for (const { levels } of alive) {
      const literal = levels[depth];
      if (literal === undefined || literal === '+' || literal === '#') continue;
      // [MQTT-4.7.2-1]
      if (depth > 0 || !literal.startsWith('$')) choices.add(literal);
    }
    return choices;
  }

  #take(taken: string, depth: number, alive: readonly P[], settled: P | undefined): void {
    const wildcardsMatch = depth > 0 || !taken.startsWith('$'); // [MQTT-4.7.2-1]
    const following: P[] = [];
    let first = settled;
    for (const pattern of alive) {
      // What comes behind one that matches whatever follows decides nothing.
      if (first !== undefined && pattern.order > first.order) break;
      const level = pattern.levels[depth];
      if (level === '#') {
        if (wildcardsMatch) first = pattern;
      } else if (level === taken || (level === '+' && wildcardsMatch)) following.push(pattern);
    }
    this.walk(depth + 1, following, first, depth === 0 && taken === '');
  }
}
