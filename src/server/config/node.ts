import * as v from 'valibot';
import { type Entry, factsOf, snakeCase, type ValueFacts } from './vocabulary.js';

/** The schema as a tree that can be walked: by readers, the reference page and the JSON Schema. */
export type ConfigNode =
  | SectionNode
  | { readonly kind: 'list'; readonly item: ConfigNode }
  | { readonly kind: 'value'; readonly facts: ValueFacts };

export interface SectionNode {
  readonly kind: 'section';
  /** By the names that people write. */
  readonly keys: ReadonlyMap<string, ConfigKey>;
  /** The key that a single word stands for. */
  readonly short: string | undefined;
}

export function isSection(node: ConfigNode): node is SectionNode {
  return node.kind === 'section';
}

export interface ConfigKey {
  /** As the code spells it. */
  readonly name: string;
  readonly node: ConfigNode;
  readonly description: string;
  readonly isRequired: boolean;
  /** As people write it; undefined where there is none. */
  readonly defaultValue: unknown;
  /** What holds where a key without a default is left out. */
  readonly absent: string | undefined;
}

interface Schema {
  readonly type: string;
  readonly wrapped?: Entry<unknown>;
  readonly default?: unknown;
  readonly entries?: Readonly<Record<string, Entry<unknown>>>;
  readonly item?: Entry<unknown>;
}

interface Metadata {
  readonly description?: string;
  readonly absent?: string;
  readonly short?: string;
}

const sections = new WeakMap<object, SectionNode>();

export function nodeOf(entry: Entry<unknown>): ConfigNode {
  const schema = entry as unknown as Schema;
  if (schema.wrapped !== undefined) return nodeOf(schema.wrapped);
  if (schema.entries !== undefined) return sectionOf(entry, schema.entries);
  if (schema.item !== undefined) return { kind: 'list', item: nodeOf(schema.item) };
  return { kind: 'value', facts: factsOf(entry)! };
}

/** One node for one section, however often it is used. */
export function sectionOf(
  entry: Entry<unknown>,
  entries: Readonly<Record<string, Entry<unknown>>> = (entry as unknown as Schema).entries!,
): SectionNode {
  const known = sections.get(entries);
  if (known !== undefined) return known;
  const { short } = v.getMetadata(entry) as Metadata;
  const keys = Object.entries(entries).map(
    ([name, inner]) => [snakeCase(name), keyOf(name, inner)] as const,
  );
  const node: SectionNode = { kind: 'section', keys: new Map(keys), short };
  sections.set(entries, node);
  return node;
}

function keyOf(name: string, entry: Entry<unknown>): ConfigKey {
  const schema = entry as unknown as Schema;
  const { description = '', absent } = v.getMetadata(entry) as Metadata;
  return {
    name,
    node: nodeOf(entry),
    description,
    isRequired: schema.wrapped === undefined,
    defaultValue: schema.default,
    absent,
  };
}

/** The path in the code of a key as people write it, such as `listen[0].tls.key`. */
export function pathOf(
  written: string,
  root: ConfigNode,
): readonly (string | number)[] | undefined {
  const path: (string | number)[] = [];
  let node: ConfigNode = root;
  for (const [, index, name] of written.matchAll(/\[(\d+)\]|([^.[\]]+)/g)) {
    if (index !== undefined) path.push(Number(index));
    if (node.kind === 'section' && name !== undefined) {
      const key = node.keys.get(name);
      if (key === undefined) return undefined;
      path.push(key.name);
      node = key.node;
    } else if (node.kind === 'list' && index !== undefined) node = node.item;
    else return undefined;
  }
  return path;
}
