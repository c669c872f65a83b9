import { readFileSync } from 'node:fs';
import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { ConfigSource, unknownKey, writtenNames } from './config-source.js';

/** Reads a YAML file (JSON is YAML too). Faults are collected with file, line and column. */
export function readConfigFile(file: string): ConfigSource {
  try {
    return parseConfigFile(file, readFileSync(file, 'utf8'));
  } catch (error) {
    const source = new ConfigSource();
    source.faults.push(`${file}: cannot be read: ${(error as Error).message}`);
    return source;
  }
}

export function parseConfigFile(file: string, text: string): ConfigSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const reader = new FileReader(file, lines);
  for (const error of document.errors) {
    reader.source.faults.push(`${reader.place(error.pos[0])}: ${error.message}`);
  }
  if (reader.source.faults.length === 0) reader.readTop(document.contents);
  return reader.source;
}

class FileReader {
  readonly source: ConfigSource = new ConfigSource();
  readonly #file: string;
  readonly #lines: LineCounter;

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  place(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#file}:${line}:${col}`;
  }

  readTop(root: Node | null): void {
    if (root === null || (isScalar(root) && root.value === null)) return;
    if (!isMap(root)) {
      this.#fault(root, 'expected settings as "name: value" lines');
      return;
    }
    this.#each(root, '', writtenNames.top, (name, key, value) => {
      if (name === 'limits') this.#readLimits(value);
      else if (name === 'listen') this.#readListen(value);
      else this.source.set([name], plain(value), this.#placeAndKey(value, key));
    });
  }

  #readLimits(node: Node | null): void {
    if (node === null || !isMap(node)) {
      this.#fault(node, 'limits: expected "name: value" lines');
      return;
    }
    this.#each(node, 'limits.', writtenNames.limits, (name, key, value) => {
      this.source.set(['limits', name], plain(value), this.#placeAndKey(value, key));
    });
  }

  #readListen(node: Node | null): void {
    const items = isSeq(node) ? (node.items as Node[]) : [node];
    // Set first, so that an empty list is one too.
    const listeners: Record<string, unknown>[] = [];
    this.source.set(['listen'], listeners, this.#placeAndKey(node, 'listen'));
    items.forEach((item, i) => {
      const listener: Record<string, unknown> = {};
      listeners.push(listener);
      const key = `listen[${i}]`;
      this.source.mark(['listen', i], this.#placeAndKey(item, key));
      if (item === null || !isMap(item)) {
        listener['url'] = plain(item);
        return;
      }
      this.#each(item, `${key}.`, writtenNames.listener, (name, innerKey, value) => {
        listener[name] = plain(value);
        this.source.mark(['listen', i, name], this.#placeAndKey(value, innerKey));
      });
    });
  }

  #each(
    map: YAMLMap,
    prefix: string,
    names: ReadonlyMap<string, string>,
    visit: (name: string, key: string, value: Node | null) => void,
  ): void {
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const written = String(plain(pair.key));
      const name = names.get(written);
      if (name === undefined) {
        const place = this.place(pair.key.range?.[0] ?? 0);
        this.source.faults.push(unknownKey(place, `${prefix}${written}`, prefixed(prefix, names)));
      } else {
        visit(name, `${prefix}${written}`, pair.value ?? pair.key);
      }
    }
  }

  #placeAndKey(node: Node | null, key: string): string {
    return `${this.place(node?.range?.[0] ?? 0)}: ${key}`;
  }

  #fault(node: Node | null, sentence: string): void {
    this.source.faults.push(`${this.place(node?.range?.[0] ?? 0)}: ${sentence}`);
  }
}

function prefixed(prefix: string, names: ReadonlyMap<string, string>): string[] {
  return [...names.keys()].map((name) => `${prefix}${name}`);
}

function plain(node: Node | null): unknown {
  return node === null ? null : (node.toJSON() as unknown);
}
