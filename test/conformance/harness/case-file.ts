import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Setup } from './harness.js';
import type { Version } from './hex-pattern.js';
import type { Fields, PacketFields } from './packet.js';

/** A packet as bytes (the notation of `hex-pattern.ts`) or as fields. */
export type PacketText = string | PacketFields;

/** One or several Reason Codes, such as `0x81`. */
export type Codes = string | readonly string[];

/** One step: exactly one verb, and what belongs to it. `docs/conformance.md` explains each. */
export interface Step {
  /** Who does it; `a` unless told. */
  readonly client?: string;
  /** Only for 5.0, or only for the versions before it. */
  readonly for?: 4 | 5;

  readonly send?: PacketText;
  readonly expect?: PacketText;
  readonly expectBegin?: string;
  readonly expectOneOf?: readonly PacketText[];
  readonly orClosed?: boolean;
  readonly expectAnyOrder?: readonly PacketText[];
  readonly expectNothing?: boolean;
  readonly expectOpen?: boolean;
  readonly expectClosed?: boolean;
  readonly expectFault?: Codes;
  readonly expectRefusal?: Codes;
  readonly returnCode?: string;
  readonly expectDistinct?: readonly (string | number)[];
  readonly advanceMs?: number;
  readonly drop?: boolean;

  readonly connect?: Fields;
  readonly connack?: Fields;
  readonly disconnect?: Fields;
  readonly ping?: boolean;
  readonly subscribe?: string;
  readonly options?: Fields;
  readonly publish?: string;
  readonly receive?: string;
  readonly payload?: string;
  readonly qos?: 0 | 1 | 2;
  readonly retain?: boolean;
  readonly id?: number;
  readonly properties?: Fields;
}

/** What belongs to each verb beside `client` and `for`. */
export const verbs: { readonly [verb: string]: readonly (keyof Step)[] } = {
  send: [],
  expect: [],
  expectBegin: [],
  expectOneOf: ['orClosed'],
  expectAnyOrder: [],
  expectNothing: [],
  expectOpen: [],
  expectClosed: [],
  expectFault: [],
  expectRefusal: ['returnCode'],
  expectDistinct: [],
  advanceMs: [],
  drop: [],
  connect: ['connack'],
  disconnect: [],
  ping: [],
  subscribe: ['qos', 'options', 'properties'],
  publish: ['payload', 'qos', 'retain', 'id', 'properties'],
  receive: ['payload', 'qos', 'retain', 'properties'],
};

export type SpecificationVersion = '3.1.1' | '5.0';

export interface Case extends Setup {
  readonly name: string;
  /** The normative statements that it examines, by specification. */
  readonly statements: { readonly [version in SpecificationVersion]?: readonly string[] };
  /** Protocol levels it runs with; those of the statements unless told. */
  readonly versions?: readonly Version[];
  readonly steps: readonly Step[];
}

export interface CaseFile {
  /** Such as `PUBLISH`. */
  readonly name: string;
  readonly cases: readonly Case[];
}

const folder = fileURLToPath(new URL('../cases/', import.meta.url));

export function readCaseFiles(): CaseFile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => {
    const cases = JSON.parse(readFileSync(folder + name, 'utf8')) as Case[];
    for (const one of cases) checkCase(one, name);
    return { name: name.replace('.json', ''), cases };
  });
}

export function versionsOf({ versions, statements }: Case): readonly Version[] {
  if (versions !== undefined) return versions;
  const named: Version[] = [];
  if (statements['3.1.1'] !== undefined) named.push(4);
  if (statements['5.0'] !== undefined) named.push(5);
  return named;
}

const CASE_FIELDS = ['name', 'statements', 'versions', 'limits', 'policy', 'steps'];

/** A case that would pass because of a slip of the pen is not a case. */
function checkCase(one: Case, file: string): void {
  const where = `${file}: ${one.name}`;
  for (const field of Object.keys(one)) {
    if (!CASE_FIELDS.includes(field)) throw new Error(`${where}: what is "${field}"?`);
  }
  for (const specification of Object.keys(one.statements)) {
    if (specification !== '3.1.1' && specification !== '5.0') {
      throw new Error(`${where}: there is no specification "${specification}"`);
    }
  }
  if (versionsOf(one).length === 0) throw new Error(`${where}: no version runs it`);
  for (const step of one.steps) checkStep(step, where);
}

function checkStep(step: Step, where: string): void {
  const verb = verbOf(step);
  for (const field of Object.keys(step)) {
    const known = field === verb || field === 'client' || field === 'for';
    if (!known && !verbs[verb]!.includes(field as keyof Step)) {
      throw new Error(`${where}: "${field}" does not belong to "${verb}"`);
    }
  }
}

export function verbOf(step: Step): string {
  const found = Object.keys(step).filter((field) => field in verbs);
  if (found.length !== 1) throw new Error(`a step has one verb: ${JSON.stringify(step)}`);
  return found[0]!;
}
