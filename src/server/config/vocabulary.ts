import * as v from 'valibot';

/**
 * The words in which the configuration is written down. A section is a valibot object; every entry
 * of it carries a type, a unit, a default and a sentence, from which come parsing, environment
 * variables, the reference page and the JSON Schema.
 */

/** Reads one value as people write it into what the code uses. */
export type Entry<T> = v.GenericSchema<unknown, T>;

/** What the schema, the reference page and the editor know of a value's type. */
export interface ValueFacts {
  /** As the reference page shows it, such as `size 1024–65535`. */
  readonly type: string;
  /** `bytes`, `seconds` and so on; undefined where there is none. */
  readonly unit?: string | undefined;
  /** The sentence behind "expected". */
  readonly expectation: string;
  /** What the JSON Schema says of it. */
  readonly json: Readonly<Record<string, unknown>>;
  /** A default as people write it, such as `8MiB`. */
  readonly show?: ((value: unknown) => string) | undefined;
  /** The value may also stand in a file of its own: `name_file: /run/secrets/name`. */
  readonly isSecret?: boolean | undefined;
}

/** A value judged by `read`, which answers undefined for what it does not accept. */
export function value<T>(facts: ValueFacts, read: (written: unknown) => T | undefined): Entry<T> {
  return valueOrFault(facts, (written) => {
    const result = read(written);
    if (result !== undefined) return { value: result };
    // A log is read by more people than a secret is meant for.
    const instead = facts.isSecret === true ? 'as text, in quotes' : `not ${shown(written)}`;
    return { fault: `expected ${facts.expectation}, ${instead}` };
  });
}

/** A value whose reader has a sentence of its own for what is wrong. */
export function valueOrFault<T>(
  facts: ValueFacts,
  read: (written: unknown) => { readonly value: T } | { readonly fault: string },
): Entry<T> {
  return v.pipe(
    v.unknown(),
    v.rawTransform<unknown, T>(({ dataset, addIssue, NEVER }) => {
      const result = read(dataset.value);
      if ('value' in result) return result.value;
      addIssue({ message: result.fault });
      return NEVER;
    }),
    v.metadata({ facts }),
  ) as Entry<T>;
}

export function shown(written: unknown): string {
  return typeof written === 'string' ? `"${written}"` : (JSON.stringify(written) ?? `${written}`);
}

/**
 * A key with a default, given as people write it (numbers are bytes or seconds); `absent` says more
 * of it than it can itself.
 */
export function key<T>(
  type: Entry<T>,
  defaultValue: unknown,
  description: string,
  absent?: string,
): Entry<T> {
  const metadata = absent === undefined ? { description } : { description, absent };
  const entry = v.pipe(v.optional(type, defaultValue as never), v.metadata(metadata));
  return entry as unknown as Entry<T>;
}

/** A key that may be left out; `absent` says what then happens, such as `none` or `off`. */
export function optional<T>(
  type: Entry<T>,
  absent: string,
  description: string,
): Entry<T | undefined> {
  const entry = v.pipe(v.optional(type), v.metadata({ description, absent }));
  return entry as unknown as Entry<T | undefined>;
}

/** A key that must be there. */
export function required<T>(type: Entry<T>, description: string): Entry<T> {
  return v.pipe(type, v.metadata({ description })) as unknown as Entry<T>;
}

/** A group of keys that is always there, with the defaults of what is left out. */
export function group<T>(type: Entry<T>, description: string): Entry<T> {
  return key(type, {}, description);
}

type Entries<T> = { readonly [K in keyof T]-?: Entry<T[K]> };

export interface SectionOptions {
  /** The key that is meant where a single word stands in place of the section. */
  readonly short?: string;
}

/** Keys under a name. */
export function section<T extends object>(
  entries: Entries<T>,
  options: SectionOptions = {},
): Entry<T> {
  const schema = v.object(entries as unknown as v.ObjectEntries, (issue) => {
    const missing = issue.path?.at(-1)?.key as string | undefined;
    const entry = missing === undefined ? undefined : entries[missing as keyof T];
    if (entry === undefined) return `expected settings, not ${shown(issue.input)}`;
    const expectation = factsOf(entry)?.expectation;
    const hint = expectation === undefined ? '' : `: expected ${expectation}`;
    return `${snakeCase(missing!)} is missing${hint}`;
  });
  return v.pipe(schema, v.metadata({ ...options })) as unknown as Entry<T>;
}

export interface ListOptions {
  /** Whether it may have no items at all. */
  readonly emptyToo?: boolean;
}

/** One or several of the same; a single one may stand without a list around it. */
export function list<T>(
  item: Entry<T>,
  { emptyToo = false }: ListOptions = {},
): Entry<readonly T[]> {
  const items = v.array(item, (issue) => `expected a list, not ${shown(issue.input)}`);
  const schema = emptyToo ? items : v.pipe(items, v.minLength(1, 'expected at least one'));
  return schema as unknown as Entry<readonly T[]>;
}

/**
 * Entries of a section by name, none of them with a default: for overrides of its values. `absent`
 * says what holds without them.
 */
export function overrides<T extends object>(
  from: Entry<T>,
  names: readonly (keyof T & string)[],
  absent: string,
): Entry<Partial<T>> {
  const { entries } = from as unknown as v.ObjectSchema<v.ObjectEntries, undefined>;
  const chosen = names.map((name) => {
    const entry = entries[name] as unknown as v.OptionalSchema<Entry<unknown>, unknown>;
    const { description } = v.getMetadata(entry) as { readonly description: string };
    return [name, optional(entry.wrapped, absent, description)];
  });
  return section(Object.fromEntries(chosen)) as unknown as Entry<Partial<T>>;
}

/** What is known of a value's type, or of that of a list's items; undefined for sections. */
export function factsOf(entry: Entry<unknown>): ValueFacts | undefined {
  const { wrapped, item } = entry as unknown as {
    readonly wrapped?: Entry<unknown>;
    readonly item?: Entry<unknown>;
  };
  const inner = wrapped ?? item;
  if (inner !== undefined) return factsOf(inner);
  const metadata = v.getMetadata(entry) as { readonly facts?: ValueFacts };
  return metadata.facts;
}

/** `queueQoS0` is written `queue_qos0`. */
export function snakeCase(name: string): string {
  return name.replace('QoS', 'Qos').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
