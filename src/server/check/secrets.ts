import { readFileSync, statSync } from 'node:fs';
import type { ConfigNode } from '../config/node.js';
import { type Config, configTree } from '../config.js';
import type { Finding } from './finding.js';

const OTHERS_READ = 0o004;

/** Secrets that stand in a configuration file which every user of the machine can read. */
export function checkSecrets(config: Config, file: string | undefined): readonly Finding[] {
  if (file === undefined || file === '') return [];
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || (found.mode & OTHERS_READ) === 0) return [];
  const text = readFileSync(file, 'utf8');
  if (!secretsOf(configTree, config).some((secret) => text.includes(secret))) return [];
  const sentence =
    'it holds secrets and every user of this machine can read it: ' +
    `chmod 640 ${file}, or write \${VARIABLE} or a …_file key in their place`;
  return [{ severity: 'warning', place: file, sentence }];
}

function secretsOf(node: ConfigNode, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  switch (node.kind) {
    case 'value':
      return node.facts.isSecret === true ? [String(value)] : [];
    case 'list':
      return (value as unknown[]).flatMap((item) => secretsOf(node.item, item));
    case 'section':
      return [...node.keys.values()].flatMap((key) =>
        secretsOf(key.node, (value as Record<string, unknown>)[key.name]),
      );
  }
}
