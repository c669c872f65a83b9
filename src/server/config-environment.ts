import type { ConfigNode } from './config/node.js';
import { configTree } from './config.js';
import { type ConfigPath, ConfigSource } from './config-source.js';
import { type Environment, readSecret } from './config-text.js';
import { nearestName } from './nearest-name.js';

const PREFIX = 'DUNLIN_';
const FILE = '_FILE';
const OTHER_VARIABLES = ['DUNLIN_CONFIG'];

interface Target {
  readonly path: ConfigPath;
  readonly node: ConfigNode;
}

/**
 * `DUNLIN_DURABILITY=process`, `DUNLIN_LIMITS__PACKET_BYTES_MAX=2MB`, `DUNLIN_LISTEN=url,url`,
 * `DUNLIN_LISTEN__0=url`, `DUNLIN_LISTEN__0__TLS__KEY=/etc/key.pem`, and each of them as `…_FILE`,
 * which names a file that holds the value.
 */
export function fromEnvironment(environment: Environment): ConfigSource {
  const source = new ConfigSource();
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || value === undefined || value === '') continue;
    if (OTHER_VARIABLES.includes(variable)) continue;
    const target = targetOf(variable);
    if (target !== undefined) put(source, variable, value, target);
    else if (!putFile(source, variable, value)) noteNearMiss(source, variable);
  }
  return source;
}

/** Every variable that can be set, those within lists of settings left out. */
export function environmentNames(): readonly string[] {
  return namesOf(configTree, PREFIX);
}

function put(source: ConfigSource, variable: string, value: string, target: Target): void {
  const { path, node } = target;
  if (node.kind === 'section') {
    source.set([...path, node.short!], value, variable);
    return;
  }
  if (node.kind !== 'list') {
    source.set(path, value, variable);
    return;
  }
  const words = value.split(',').map((word) => word.trim());
  const short = node.item.kind === 'section' ? node.item.short : undefined;
  const items = words.filter((word) => word !== '');
  source.set(
    path,
    short === undefined ? items : items.map((word) => ({ [short]: word })),
    variable,
  );
}

function putFile(source: ConfigSource, variable: string, file: string): boolean {
  if (!variable.endsWith(FILE)) return false;
  const target = targetOf(variable.slice(0, -FILE.length));
  if (target === undefined) return false;
  const secret = readSecret(file);
  if ('fault' in secret) source.faults.push(`${variable}: ${file} ${secret.fault}`);
  else put(source, variable, secret.text, target);
  return true;
}

/** Container platforms set variables of this prefix too: only a near miss is a mistake. */
function noteNearMiss(source: ConfigSource, variable: string): void {
  const nearest = nearestName(variable, environmentNames());
  if (nearest === undefined) return;
  const sentence = `there is no setting ${variable}; did you mean ${nearest}?`;
  source.faults.push(`${variable}: ${sentence}`);
}

function targetOf(variable: string): Target | undefined {
  const path: (string | number)[] = [];
  let node: ConfigNode = configTree;
  for (const step of variable.slice(PREFIX.length).split('__')) {
    if (node.kind === 'section') {
      const key = node.keys.get(step.toLowerCase());
      if (key === undefined) return undefined;
      path.push(key.name);
      node = key.node;
    } else if (node.kind === 'list' && /^\d{1,3}$/.test(step)) {
      path.push(Number(step));
      node = node.item;
    } else return undefined;
  }
  const isItem = typeof path.at(-1) === 'number';
  const hasShort = isItem && node.kind === 'section' && node.short !== undefined;
  return hasShort || isSettable(node) ? { path, node } : undefined;
}

/** A value, or a list that commas can part. */
function isSettable(node: ConfigNode): boolean {
  if (node.kind === 'value') return true;
  if (node.kind !== 'list') return false;
  return (
    node.item.kind === 'value' || (node.item.kind === 'section' && node.item.short !== undefined)
  );
}

function namesOf(node: ConfigNode, prefix: string): string[] {
  if (node.kind !== 'section') return [];
  return [...node.keys].flatMap(([written, { node: inner }]) => {
    const name = `${prefix}${written.toUpperCase()}`;
    return [...(isSettable(inner) ? [name] : []), ...namesOf(inner, `${name}__`)];
  });
}
