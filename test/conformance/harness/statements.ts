import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readCaseFiles, type SpecificationVersion, versionsOf } from './case-file.js';

/** A normative statement of one of the two specifications. */
export interface Statement {
  /** The specification and the number, such as `3.1.1 MQTT-3.1.2-3`: numbers differ between the two. */
  readonly key: string;
  readonly paraphrase: string;
  readonly binds: 'client' | 'server' | 'both';
  /** Whether a server's peer could see a breach. */
  readonly isVisible: boolean;
}

/** Why a statement is not tested, and since when. */
export interface Exemption {
  readonly reason: string;
  readonly since: string;
}

const folder = fileURLToPath(new URL('../', import.meta.url));

export function readStatements(): Statement[] {
  const [, ...lines] = readFileSync(`${folder}statements.tsv`, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [id, version, paraphrase, isVisible, binds] = line.split('\t');
    return {
      key: `${version} ${id}`,
      paraphrase: paraphrase!,
      binds: binds as Statement['binds'],
      isVisible: isVisible === 'yes',
    };
  });
}

export function readExemptions(): ReadonlyMap<string, Exemption> {
  const text = readFileSync(`${folder}not-tested.json`, 'utf8');
  return new Map(Object.entries(JSON.parse(text) as Record<string, Exemption>));
}

/** Keys of the statements that cases or flows examine, each with the places that do. */
export function readCoverage(): ReadonlyMap<string, readonly string[]> {
  const places = new Map<string, string[]>();
  const add = (key: string, place: string): void => {
    const known = places.get(key);
    if (known === undefined) places.set(key, [place]);
    else known.push(place);
  };
  for (const { name, cases } of readCaseFiles()) {
    for (const one of cases) {
      for (const [specification, ids] of Object.entries(one.statements)) {
        requireVersion(versionsOf(one), specification as SpecificationVersion, one.name);
        for (const id of ids) add(`${specification} ${id}`, `${name}: ${one.name}`);
      }
    }
  }
  for (const name of readdirSync(`${folder}flows`)) {
    const text = readFileSync(`${folder}flows/${name}`, 'utf8');
    for (const [, specification, id] of text.matchAll(/\[(3\.1\.1|5\.0) (MQTT-[\d.]+-\d+)\]/g)) {
      add(`${specification} ${id}`, `flows/${name}`);
    }
  }
  return places;
}

function requireVersion(
  versions: readonly number[],
  specification: SpecificationVersion,
  name: string,
): void {
  if (versions.includes(specification === '5.0' ? 5 : 4)) return;
  throw new Error(`"${name}" names statements of ${specification} and does not run with it`);
}
