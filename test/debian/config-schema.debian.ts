import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/server/config.js';
import { parseConfigFile } from '../../src/server/config-file.js';
import { Page } from '../docs/page.js';
import { repositoryFolder } from '../support/build-if-stale.js';

/** What an editor does: YAML read by one program, judged with our schema by another. */
const JUDGE = `
import json, sys, yaml, jsonschema
schema = json.load(open('docs/config.schema.json'))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
texts = json.load(sys.stdin)
print(json.dumps([validator.is_valid(yaml.safe_load(text)) for text in texts]))
`;

function judge(texts: readonly string[]): boolean[] {
  const input = JSON.stringify(texts);
  const { stdout, stderr } = spawnSync('python3', ['-c', JUDGE], {
    cwd: repositoryFolder,
    input,
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as boolean[];
}

function isTaken(text: string): boolean {
  const source = parseConfigFile('f', text);
  return source.faults.length === 0 && 'listen' in (parseConfig(source.value) as object);
}

test('what the pages show is right for the schema and for the broker', () => {
  const pages = readdirSync(join(repositoryFolder, 'docs')).filter((name) => name.endsWith('.md'));
  const texts = pages
    .flatMap((name) => new Page(`docs/${name}`).code('yaml'))
    // Lists are files of rules; the others are whole configurations.
    .filter((text) => /^(listen|data|authentication|authorization):/m.test(text));
  expect(texts.length).toBeGreaterThan(10);
  const judged = judge(texts);
  expect(texts.filter((_, i) => !judged[i])).toEqual([]);
});

test('schema and broker agree on what is wrong', () => {
  const right = [
    'limits: { packet_bytes_max: 2MB, connect_seconds_max: 30s, queue_qos0: on }',
    'limits:',
    'listen: mqtt://127.0.0.1:1',
    'listen: [mqtt://127.0.0.1:1, { url: mqtt://127.0.0.1:2, versions: 5.0 }]',
    'listen: [{ url: mqtt://127.0.0.1:2, limits: { qos_max: 1 } }]',
    'limits: { queued_messages_max: 1_000 }',
    'rates: { client: { bytes: 64KiB } }',
  ];
  const wrong = [
    'durabilty: power',
    'durability: fast',
    'limits: { qos_max: 3 }',
    'limits: { packet_bytes_max: 3 litres }',
    'limits: { connect_seconds_max: soon }',
    'in_memory: maybe',
    'listen: [{ limits: { qos_max: 1 } }]',
    'listen: [{ url: mqtt://127.0.0.1:1, limits: { queue_qos0: true } }]',
    'listen: [{ url: mqtt://127.0.0.1:1, versions: [4] }]',
    'rates: { clint: { bytes: 64KiB } }',
  ];
  expect(right.filter((text) => !isTaken(text))).toEqual([]);
  expect(wrong.filter((text) => isTaken(text))).toEqual([]);
  expect(judge(right)).toEqual(right.map(() => true));
  expect(judge(wrong)).toEqual(wrong.map(() => false));
});
