import { readFileSync } from 'node:fs';
import {
  type Document,
  type ErrorCode,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import type { ConfigNode, SectionNode } from './config/node.js';
import { configTree } from './config.js';
import { type ConfigPath, ConfigSource, unknownKey } from './config-source.js';
import { type Environment, interpolate, readSecret } from './config-text.js';

/**
 * Reads a YAML file (JSON is YAML too). Faults are collected with file, line and column; variables
 * of the environment stand for `${NAME}` in its strings.
 */
export function readConfigFile(file: string, environment: Environment): ConfigSource {
  try {
    return parseConfigFile(file, readFileSync(file, 'utf8'), environment);
  } catch (error) {
    const source = new ConfigSource();
    source.faults.push(`${file}: cannot be read: ${(error as Error).message}`);
    return source;
  }
}

export function parseConfigFile(
  file: string,
  text: string,
  environment: Environment = {},
): ConfigSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const reader = new FileReader(file, lines, document, environment);
  for (const error of document.errors) {
    const sentence = SENTENCES[error.code] ?? error.message;
    reader.source.faults.push(`${reader.place(error.pos[0])}: ${sentence}`);
  }
  if (reader.source.faults.length === 0) reader.readTop(document.contents);
  return reader.source;
}

/** In place of sentences for programmers. */
const SENTENCES: Partial<Record<ErrorCode, string>> = {
  DUPLICATE_KEY: 'this key is there already, and keys must be unique: leave out one of them',
  MULTIPLE_DOCS: 'a second document begins here (---): a configuration is one document',
  TAB_AS_INDENT: 'a tab stands in front of it: YAML indents by spaces alone',
};

class FileReader {
  readonly source: ConfigSource = new ConfigSource();
  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #document: Document;
  readonly #environment: Environment;

  constructor(file: string, lines: LineCounter, document: Document, environment: Environment) {
    this.#file = file;
    this.#lines = lines;
    this.#document = document;
    this.#environment = environment;
  }

  place(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#file}:${line}:${col}`;
  }

  readTop(root: Node | null): void {
    if (isEmpty(root)) return;
    if (!isMap(root)) {
      this.#fault(root, 'expected settings as "name: value" lines');
      return;
    }
    Object.assign(this.source.value, this.#section(root, configTree, [], ''));
  }

  #read(written: Node | null, type: ConfigNode, path: ConfigPath, key: string): unknown {
    const node = isAlias(written) ? (written.resolve(this.#document) ?? null) : written;
    this.source.mark(path, `${this.place(written?.range?.[0] ?? 0)}: ${key}`);
    switch (type.kind) {
      case 'section':
        if (isMap(node)) return this.#section(node, type, path, `${key}.`);
        if (isEmpty(node)) return {};
        if (type.short !== undefined) return { [type.short]: this.#plain(node) };
        this.#fault(node, `${key}: expected "name: value" lines`);
        return {};
      case 'list': {
        if (isEmpty(node)) return [];
        const items = isSeq(node) ? (node.items as Node[]) : [node];
        return items.map((item, i) => this.#read(item, type.item, [...path, i], `${key}[${i}]`));
      }
      case 'value':
        return this.#plain(node);
    }
  }

  #section(map: YAMLMap, type: SectionNode, path: ConfigPath, prefix: string): object {
    const result: Record<string, unknown> = {};
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const written = String(this.#plain(pair.key));
      const known = type.keys.get(written);
      const node = pair.value ?? pair.key;
      if (known !== undefined) {
        const value = pair.value ?? null;
        const inner = [...path, known.name];
        result[known.name] = this.#read(value, known.node, inner, `${prefix}${written}`);
        this.source.mark(inner, `${this.place(node.range?.[0] ?? 0)}: ${prefix}${written}`);
      } else if (!this.#secretFile(written, node, type, path, prefix, result)) {
        const place = this.place(pair.key.range?.[0] ?? 0);
        this.source.faults.push(unknownKey(place, prefix, written, type.keys.keys()));
      }
    }
    return result;
  }

  /** `secret_file: /run/secrets/x` in place of `secret: …`. */
  #secretFile(
    written: string,
    node: Node,
    type: SectionNode,
    path: ConfigPath,
    prefix: string,
    result: Record<string, unknown>,
  ): boolean {
    const known = written.endsWith('_file') ? type.keys.get(written.slice(0, -5)) : undefined;
    if (known?.node.kind !== 'value' || !known.node.facts.isSecret) return false;
    const secret = readSecret(String(this.#plain(node)));
    this.source.mark(
      [...path, known.name],
      `${this.place(node.range?.[0] ?? 0)}: ${prefix}${written}`,
    );
    if ('fault' in secret) this.#fault(node, `${prefix}${written}: ${secret.fault}`);
    else if (known.name in result)
      this.#fault(node, `${prefix}${written}: the value itself is there too`);
    else result[known.name] = secret.text;
    return true;
  }

  #plain(node: Node | null): unknown {
    const plain = node === null ? null : (node.toJS(this.#document) as unknown);
    if (typeof plain !== 'string') return plain;
    const { text, missing } = interpolate(plain, this.#environment);
    for (const name of missing) {
      this.#fault(
        node,
        `the environment has no variable ${name}; set it, or give a default: \${${name}:-value} ` +
          `(a dollar sign itself is written $\${)`,
      );
    }
    return text;
  }

  #fault(node: Node | null, sentence: string): void {
    this.source.faults.push(`${this.place(node?.range?.[0] ?? 0)}: ${sentence}`);
  }
}

function isEmpty(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null);
}
