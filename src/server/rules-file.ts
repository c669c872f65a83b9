import * as v from 'valibot';
import { isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { Rule } from '../extensions/access-control/rule.js';
import { ruleFrom } from '../extensions/access-control/written-rule.js';
import { rule as ruleEntry } from './config/authorization.js';
import { sectionOf } from './config/node.js';
import { unknownKey } from './config-source.js';

export interface RulesFile {
  readonly rules: readonly Rule[];
  /** Sentences, each with file and line. A file with faults must not be used. */
  readonly faults: readonly string[];
}

/** A YAML list of rules, each in one line or with the keys that `authorization.rules` has. */
export function readRulesFile(text: string, file: string): RulesFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placeOf = (offset: number): string => `${file}:${lines.linePos(offset).line}`;
  const faults = document.errors.map(({ pos, message }) => `${placeOf(pos[0])}: ${message}`);
  if (faults.length > 0) return { rules: [], faults };
  const root = document.contents as Node | null;
  if (root === null || (isScalar(root) && root.value === null)) return { rules: [], faults };
  if (!isSeq(root)) return { rules: [], faults: [`${file}: expected a list of rules`] };
  const rules: Rule[] = [];
  for (const item of root.items as Node[]) {
    const place = placeOf(item.range![0]);
    const rule = readItem(item, place, placeOf);
    if (Array.isArray(rule)) faults.push(...rule);
    else rules.push(rule as Rule);
  }
  return { rules, faults };
}

function readItem(
  item: Node,
  place: string,
  placeOf: (offset: number) => string,
): Rule | readonly string[] {
  const { written, faults } = writtenOf(item, placeOf);
  if (faults.length > 0) return faults;
  const result = v.safeParse(ruleEntry, written);
  if (!result.success) return result.issues.map(({ message }) => `${place}: ${message}`);
  const rule = ruleFrom(result.output, place);
  return typeof rule === 'string' ? [`${place}: ${rule}`] : rule;
}

/** With the names of the keys as the code spells them. */
function writtenOf(
  item: Node,
  placeOf: (offset: number) => string,
): { readonly written: Record<string, unknown>; readonly faults: readonly string[] } {
  if (!isMap(item)) return { written: { rule: item.toJSON() as unknown }, faults: [] };
  const { keys } = sectionOf(ruleEntry);
  const written: Record<string, unknown> = {};
  const faults: string[] = [];
  for (const { key, value } of item.items as Pair<Node, Node | null>[]) {
    const name = String(key.toJSON());
    const known = keys.get(name);
    if (known === undefined) faults.push(unknownKey(placeOf(key.range![0]), '', name, keys.keys()));
    else {
      const plain = value?.toJSON() as unknown;
      written[known.name] = known.node.kind === 'list' && !Array.isArray(plain) ? [plain] : plain;
    }
  }
  return { written, faults };
}
