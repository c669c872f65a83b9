import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ConfigNode, isSection, type SectionNode } from '../../src/server/config/node.js';
import { configTree, parseConfig } from '../../src/server/config.js';
import { repositoryFolder } from '../support/build-if-stale.js';
import { configurationPage, configurationSchema } from './configuration-page.js';

const STALE = 'run: npm run docs:config';

function committed(path: string): string {
  return readFileSync(join(repositoryFolder, path), 'utf8');
}

function inside(node: ConfigNode): ConfigNode {
  return node.kind === 'list' ? inside(node.item) : node;
}

function everySection(node: SectionNode, found: Set<SectionNode> = new Set()): Set<SectionNode> {
  found.add(node);
  for (const { node: inner } of node.keys.values()) {
    const section = inside(inner);
    if (isSection(section) && !found.has(section)) everySection(section, found);
  }
  return found;
}

test('the reference page and the JSON Schema are those of the code', () => {
  expect(committed('docs/configuration.md'), STALE).toBe(configurationPage());
  expect(committed('docs/config.schema.json'), STALE).toBe(configurationSchema());
});

test('every key has a sentence, and says what holds without it', () => {
  const sections = [...everySection(configTree)];
  expect(sections.length).toBeGreaterThan(10);
  for (const section of sections) {
    for (const [written, key] of section.keys) {
      expect(key.description, written).toMatch(/^[^|]*\.$/);
      const says = key.isRequired || key.defaultValue !== undefined || key.absent !== undefined;
      expect(says, written).toBe(true);
    }
  }
});

test('every default is a value that the schema takes', () => {
  expect(parseConfig({ listen: [] })).toMatchObject({ listen: [], durability: 'power' });
});
