import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { snakeCase } from '../config/vocabulary.js';
import { parseConfig } from '../config.js';
import type { ConfigSource } from '../config-source.js';
import { ExitCode, StartError } from '../exit-code.js';
import { readMosquittoConf } from './mosquitto-conf.js';

export interface ImportedConfig {
  readonly yaml: string;
  /** One sentence for each thing that has no equivalent. */
  readonly notes: readonly string[];
}

/** Writes a mosquitto.conf down as Dunlin's own configuration; throws a `StartError` for faults. */
export function importMosquittoConf(file: string): ImportedConfig {
  const { source, notes } = readMosquittoConf(file);
  const result = parseConfig(structuredClone(source.value));
  const faults = [...source.faults];
  if (!('listen' in result)) {
    faults.push(
      ...result.map(
        ({ path, expectation }) => `${source.placeOf(path) ?? path.join('.')}: ${expectation}`,
      ),
    );
  }
  if (faults.length > 0) throw new StartError(ExitCode.Usage, faults);
  const sentences = notes.map(({ place, sentence }) => `${place}: ${sentence}`);
  return { yaml: written(source, file, sentences), notes: sentences };
}

/** Prints it, or writes it into a new file; the notes go to standard error. */
export function runImport(file: string, output: string | undefined): void {
  const { yaml, notes } = importMosquittoConf(file);
  if (output === undefined) process.stdout.write(yaml);
  else writeNew(output, yaml);
  for (const note of notes) process.stderr.write(`dunlin: ${note}\n`);
}

function writeNew(output: string, yaml: string): void {
  try {
    // It may name secrets one day: nobody else needs to read it.
    writeFileSync(output, yaml, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const sentence =
      (error as NodeJS.ErrnoException).code === 'EEXIST'
        ? `${output} is there already: choose another name for --output, or remove it`
        : `${output} cannot be written: ${(error as Error).message}`;
    throw new StartError(ExitCode.Failure, [sentence], error);
  }
}

const SCHEMA_HINT = '# yaml-language-server: $schema=node_modules/dunlin/docs/config.schema.json\n';

function written({ value }: ConfigSource, file: string, notes: readonly string[]): string {
  const head = `${SCHEMA_HINT}# Written from ${file}.\n`;
  const left = notes.map((note) => `#   ${note}\n`).join('');
  const comment = left === '' ? '' : `# What has no equivalent:\n${left}`;
  return `${head}${comment}${stringify(snakeCased(value), { lineWidth: 0 })}`;
}

/** Keys as they are written in files; numbers that came as words are numbers again. */
function snakeCased(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeCased);
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([name, inner]) => [snakeCase(name), snakeCased(inner)] as const,
    );
    return Object.fromEntries(entries);
  }
  if (value === 'true' || value === 'false') return value === 'true';
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
}
