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
  /** Patterns looked at. */
  readonly steps: number;
}

/** Patterns looked at in one search: more are it where many have `+` in different levels. */
const STEPS_MAX = 500_000;
/** A level that no pattern names. */
const OTHER = '\0';

/**
 * What the rules say to everything that a filter matches: exactly, by walking level by level
 * through all that can differ. At each level there are the literals that patterns name there, and
 * one more that stands for all others. A search that takes more than `stepsMax` is judged to be a
 * part: some allowed, some denied. Patterns come in order.
 */
export function coverageOf<P extends JudgedPattern>(
  topicFilter: string,
  patterns: readonly P[],
  fallback: AllowedQoS,
  stepsMax: number = STEPS_MAX,
): Coverage<P> {
  const search = new Search<P>(topicFilter.split('/'), fallback, Math.min(stepsMax, STEPS_MAX));
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
  readonly #stepsMax: number;
  steps = 0;

  constructor(filter: readonly string[], fallback: AllowedQoS, stepsMax: number) {
    this.#filter = filter;
    this.#fallback = fallback;
    this.#stepsMax = stepsMax;
  }

  /**
   * All Topic Names that begin with the levels taken so far. `alive` are the patterns that these
   * match, in order; `settled` the first that matches whatever follows. `isEmpty`: the one level
   * so far is the empty one, so a name cannot end here.
   */
  walk(depth: number, alive: readonly P[], settled: P | undefined, isEmpty: boolean): void {
    this.steps += 1 + alive.length;
    if (this.steps > this.#stepsMax) {
      this.lowest = DENIED;
      this.highest = 2;
    }
    if (this.#isDecided) return;
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
    if (level !== '+' && level !== '#') {
      this.#take(level, depth, alive, settled);
      return;
    }
    const { wild, literal } = sorted(alive, depth);
    this.#take(OTHER, depth, wild, settled);
    for (const [taken, patterns] of literal) {
      if (this.#isDecided) return;
      const together = wild.length === 0 ? patterns : inOrder(wild, patterns);
      this.#take(taken, depth, together, settled);
    }
  }

  /** Nothing that is found from here on changes the answer. */
  get #isDecided(): boolean {
    return this.lowest === DENIED && this.highest === 2;
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

/** Patterns with a wildcard at this level, and those with each literal. */
function sorted<P extends JudgedPattern>(
  alive: readonly P[],
  depth: number,
): { readonly wild: readonly P[]; readonly literal: ReadonlyMap<string, readonly P[]> } {
  const wild: P[] = [];
  const literal = new Map<string, P[]>();
  for (const pattern of alive) {
    const level = pattern.levels[depth];
    if (level === '+' || level === '#') wild.push(pattern);
    else if (level !== undefined && (depth > 0 || !level.startsWith('$'))) {
      // [MQTT-4.7.2-1]
      const patterns = literal.get(level);
      if (patterns === undefined) literal.set(level, [pattern]);
      else patterns.push(pattern);
    }
  }
  return { wild, literal };
}

function inOrder<P extends JudgedPattern>(one: readonly P[], other: readonly P[]): readonly P[] {
  return [...one, ...other].sort((a, b) => a.order - b.order);
}
