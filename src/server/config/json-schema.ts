import type { ConfigKey, ConfigNode, SectionNode } from './node.js';

type Json = Readonly<Record<string, unknown>>;

/** The JSON Schema by which an editor completes and checks the file. */
export function jsonSchema(root: SectionNode): Json {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Configuration of Dunlin',
    ...sectionSchema(root),
  };
}

function schemaOf(node: ConfigNode): Json {
  switch (node.kind) {
    case 'value':
      return node.facts.json;
    case 'list': {
      const item = schemaOf(node.item);
      return { anyOf: [{ type: 'array', items: item }, item] };
    }
    case 'names':
      return { type: 'object', additionalProperties: schemaOf(node.item) };
    case 'section': {
      const whole = sectionSchema(node);
      const short = node.short === undefined ? undefined : node.keys.get(node.short);
      return short === undefined ? whole : { anyOf: [schemaOf(short.node), whole] };
    }
  }
}

function sectionSchema(node: SectionNode): Json {
  const keys = [...node.keys];
  const required = keys.filter(([, key]) => key.isRequired).map(([written]) => written);
  return {
    type: ['object', 'null'],
    additionalProperties: false,
    properties: Object.fromEntries(keys.flatMap(propertiesOf)),
    required: required.length === 0 ? undefined : required,
  };
}

function propertiesOf([written, key]: readonly [string, ConfigKey]): [string, Json][] {
  const { node, description, defaultValue } = key;
  const property: Json = {
    description,
    ...schemaOf(node),
    default: node.kind === 'section' ? undefined : shownDefault(node, defaultValue),
  };
  if (node.kind !== 'value' || !node.facts.isSecret) return [[written, property]];
  const file = { description: `A file that holds \`${written}\`.`, type: 'string', minLength: 1 };
  return [
    [written, property],
    [`${written}_file`, file],
  ];
}

function shownDefault(node: ConfigNode, value: unknown): unknown {
  if (value === undefined || node.kind !== 'value') return value;
  return node.facts.show === undefined ? value : node.facts.show(value);
}
