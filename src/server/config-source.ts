import { type ConfigNode, pathOf } from './config/node.js';
import { snakeCase } from './config/vocabulary.js';
import { configTree } from './config.js';
import { nearestName } from './nearest-name.js';

export type ConfigPath = readonly (string | number)[];
type Nested = { [key: string]: unknown };

/** What one source (flags, environment, file) says, and where it says each thing. */
export class ConfigSource {
  readonly value: Nested = {};
  readonly faults: string[] = [];
  /** For each path, how a sentence about it begins. */
  readonly #places = new Map<string, string>();

  set(path: ConfigPath, value: unknown, place: string): void {
    this.mark(path, place);
    let inside = this.value;
    for (const step of path.slice(0, -1)) {
      inside[step] ??= {};
      inside = inside[step] as Nested;
    }
    inside[path.at(-1)!] = value;
  }

  /** Names the place of what is at a path. */
  mark(path: ConfigPath, place: string): void {
    this.#places.set(path.join('.'), place);
  }

  /** The place of the path or of the nearest thing around it. */
  placeOf(path: ConfigPath): string | undefined {
    for (let length = path.length; length > 0; length--) {
      const place = this.#places.get(path.slice(0, length).join('.'));
      if (place !== undefined) return place;
    }
    return undefined;
  }
}

/** Says that a key is unknown and which one was probably meant, also where it stands elsewhere. */
export function unknownKey(
  place: string,
  prefix: string,
  written: string,
  siblings: Iterable<string>,
): string {
  if (prefix === '' && pathOf(written, configTree) !== undefined) {
    const [inner, ...outer] = written.split('.').toReversed();
    const lines = `"${outer.toReversed().join('", "')}"`;
    return `${place}: ${written} takes a line for each step: ${inner} indented below ${lines}`;
  }
  const near = nearestName(written, siblings);
  const nearest = near === undefined ? elsewhere(written) : `${prefix}${near}`;
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  return `${place}: there is no setting ${prefix}${written}${hint}`;
}

/** The outermost key of this name. */
function elsewhere(written: string): string | undefined {
  const depth = (name: string): number => name.split('.').length;
  return keysNamed(written, configTree, '').toSorted((a, b) => depth(a) - depth(b))[0];
}

/** The full names of all keys that are called so. */
function keysNamed(wanted: string, node: ConfigNode, prefix: string): string[] {
  if (node.kind === 'list') return keysNamed(wanted, node.item, prefix);
  if (node.kind !== 'section') return [];
  return [...node.keys].flatMap(([written, { node: inner }]) => {
    const found = written === wanted ? [`${prefix}${written}`] : [];
    return [...found, ...keysNamed(wanted, inner, `${prefix}${written}.`)];
  });
}

/** Flags as the command line parser gives them: undefined where the user said nothing. */
export interface Flags {
  readonly listen?: readonly string[] | undefined;
  readonly data?: string | undefined;
  readonly inMemory?: boolean | undefined;
  readonly durability?: string | undefined;
  readonly allowAnonymous?: boolean | undefined;
  readonly logLevel?: string | undefined;
  readonly logFormat?: string | undefined;
  readonly config?: string | undefined;
}

export function fromFlags(flags: Flags): ConfigSource {
  const source = new ConfigSource();
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined || name === 'config') continue;
    const flag = `--${snakeCase(name).replaceAll('_', '-')}`;
    const urls =
      name === 'listen' ? (value as readonly string[]).map((url) => ({ url })) : undefined;
    source.set([name], urls ?? value, flag);
  }
  return source;
}

/** Joins what two sources say, the heavier one as `over`; a list there takes the other's place. */
export function overlay(node: ConfigNode, under: unknown, over: unknown): unknown {
  if (over === undefined) return under;
  if (typeof over !== 'object' || over === null || Array.isArray(over)) return over;
  if (node.kind === 'value') return over;
  const result: Nested | unknown[] =
    node.kind === 'list'
      ? [...(Array.isArray(under) ? (under as unknown[]) : [])]
      : { ...(under as Nested | undefined) };
  for (const [step, value] of Object.entries(over)) {
    const inner = node.kind === 'section' ? node.keys.get(snakeCase(step))?.node : node.item;
    const place = result as Nested;
    place[step] = inner === undefined ? value : overlay(inner, place[step], value);
  }
  return result;
}
