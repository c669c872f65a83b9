import { parseTopicFilter } from '../../topic/topic-filter.js';
import type { ClientFacts } from './who.js';

/** As a Topic Filter may be in the protocol; the broker's own limits may be narrower. */
const LIMITS = { topicLevelsMax: 65_536, topicBytesMax: 65_535 };
const PLACEHOLDER = /%(?:([uc])|\{([^{}]+)\})/g;
/** Of a claim that is a list: more are not looked at. */
const VALUES_MAX = 100;

export function hasPlaceholder(pattern: string): boolean {
  return pattern.search(PLACEHOLDER) >= 0;
}

/** A sentence about what is wrong with a pattern, or undefined when it is a Topic Filter. */
export function faultOf(pattern: string): string | undefined {
  if (pattern.startsWith('$share/')) {
    return 'rules name topics without $share/…: they hold for shared subscriptions as well';
  }
  const sample = pattern.replaceAll(PLACEHOLDER, 'x');
  if (parseTopicFilter(sample, LIMITS) !== undefined) return undefined;
  return `"${pattern}" is not a Topic Filter: + and # stand alone in a level, # in the last one`;
}

/**
 * The Topic Filters that the pattern is for this client. None where a value is missing, or where
 * it could widen what is allowed: `+` or `#` in it, a `$` that begins the topic, and a `/` unless
 * `takesLevels`, as for what denies: it takes away no more than it says.
 */
export function resolve(
  pattern: string,
  facts: ClientFacts,
  takesLevels: boolean,
): readonly string[] {
  let filters = [''];
  let end = 0;
  for (const match of pattern.matchAll(PLACEHOLDER)) {
    const literal = pattern.slice(end, match.index);
    end = match.index + match[0].length;
    const isFirst = match.index === 0;
    const values = valuesOf(match, facts).filter((value) => isSafe(value, isFirst, takesLevels));
    filters = filters.flatMap((front) => values.map((value) => `${front}${literal}${value}`));
  }
  return filters.slice(0, VALUES_MAX).map((front) => front + pattern.slice(end));
}

function valuesOf([, letter, claim]: RegExpMatchArray, facts: ClientFacts): readonly string[] {
  if (letter === 'c') return [facts.clientIdentifier];
  if (letter === 'u') return facts.userName === undefined ? [] : [facts.userName];
  const { claims } = facts;
  const value = Object.hasOwn(claims, claim!) ? claims[claim!] : undefined;
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.slice(0, VALUES_MAX).flatMap((one) => {
    return typeof one === 'string' || typeof one === 'number' ? [String(one)] : [];
  });
}

function isSafe(value: string, isFirst: boolean, takesLevels: boolean): boolean {
  if (value === '' || /[+#\0]/.test(value)) return false;
  return (takesLevels || !value.includes('/')) && !(isFirst && value.startsWith('$'));
}
