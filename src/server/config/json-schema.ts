import type { ConfigKey, ConfigNode, SectionNode } from './node.js';

type Json = Readonly<Record<string, unknown>>;

/** The JSON Schema by which an editor completes and checks the file. */
export function jsonSchema(root: SectionNode): Json {
  const writer = new SchemaWriter();
  const { type: _, ...top } = writer.section(root);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of Dunlin',
    type: 'object',
    ...top,
    definitions: Object.fromEntries(writer.definitions),
  };
}

/** Each section is written once, under the name of the key where it was met first. */
class SchemaWriter {
  readonly definitions = new Map<string, Json>();
  readonly #names = new Map<SectionNode, string>();

  section(node: SectionNode): Json {
    const keys = [...node.keys];
    // A secret may stand in a file of its own.
    const mustBe = keys.filter(([, key]) => key.isRequired && !isSecret(key.node));
    const required = mustBe.map(([written]) => written);
    return {
      type: ['object', 'null'],
      additionalProperties: false,
      properties: Object.fromEntries(keys.flatMap((entry) => this.#properties(entry))),
      ...(required.length === 0 ? {} : { required }),
    };
  }

  #schema(node: ConfigNode, written: string): Json {
    switch (node.kind) {
      case 'value':
        return node.facts.json;
      case 'list': {
        const item = this.#schema(node.item, written);
        return { anyOf: [{ type: 'array', items: item }, item] };
      }
      case 'section': {
        const whole = { $ref: `#/definitions/${this.#define(node, written)}` };
        const short = node.short === undefined ? undefined : node.keys.get(node.short);
        return short === undefined ? whole : { anyOf: [this.#schema(short.node, written), whole] };
      }
    }
  }

  #define(node: SectionNode, written: string): string {
    const known = this.#names.get(node);
    if (known !== undefined) return known;
    let name = written;
    for (let i = 2; this.definitions.has(name); i++) name = `${written}_${i}`;
    this.#names.set(node, name);
    this.definitions.set(name, {});
    this.definitions.set(name, this.section(node));
    return name;
  }

  #properties([written, key]: readonly [string, ConfigKey]): [string, Json][] {
    const { node, description } = key;
    const schema = this.#schema(node, written);
    // What stands beside a $ref counts for nothing in this draft.
    const type = '$ref' in schema ? { allOf: [schema] } : schema;
    const own = shownDefault(key);
    const property = { description, ...type, ...(own === undefined ? {} : { default: own }) };
    if (!isSecret(node)) return [[written, property]];
    const file = { description: `A file that holds \`${written}\`.`, type: 'string', minLength: 1 };
    return [
      [written, property],
      [`${written}_file`, file],
    ];
  }
}

function isSecret(node: ConfigNode): boolean {
  return node.kind === 'value' && node.facts.isSecret === true;
}

function shownDefault({ node, defaultValue }: ConfigKey): unknown {
  if (node.kind === 'section') return undefined;
  if (defaultValue === undefined || node.kind === 'list') return defaultValue;
  return node.facts.show === undefined ? defaultValue : node.facts.show(defaultValue);
}
