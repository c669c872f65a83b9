import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One line of a mosquitto.conf, such as `listener 1883 0.0.0.0`. */
export interface Directive {
  readonly name: string;
  /** Everything behind the name; empty where nothing is. */
  readonly value: string;
  /** `file:line`. */
  readonly place: string;
}

export interface ReadDirectives {
  readonly directives: readonly Directive[];
  readonly faults: readonly string[];
}

/** Folders that include each other would never end. */
const INCLUDE_DEPTH_MAX = 10;

/** Reads the file and, where `include_dir` stands, all `*.conf` of that folder in their order. */
export function readDirectives(file: string, depth = 0): ReadDirectives {
  const directives: Directive[] = [];
  const faults: string[] = [];
  const add = (more: ReadDirectives): void => {
    directives.push(...more.directives);
    faults.push(...more.faults);
  };
  for (const directive of linesOf(file, faults)) {
    if (directive.name !== 'include_dir') directives.push(directive);
    else if (depth < INCLUDE_DEPTH_MAX) {
      for (const inner of filesIn(directive, faults)) add(readDirectives(inner, depth + 1));
    } else faults.push(`${directive.place}: include_dir stands in too many folders that include`);
  }
  return { directives, faults };
}

function linesOf(file: string, faults: string[]): Directive[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    faults.push(`${file}: cannot be read: ${(error as Error).message}`);
    return [];
  }
  return text.split(/\r?\n/).flatMap((line, i) => {
    // Mosquitto takes a line for a comment only where # is its first character.
    if (line.startsWith('#') || line.trim() === '') return [];
    const [name] = line.trimStart().split(/[ \t]/, 1) as [string];
    return [{ name, value: line.trim().slice(name.length).trim(), place: `${file}:${i + 1}` }];
  });
}

function filesIn({ value: folder, place }: Directive, faults: string[]): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.conf'));
    return names.toSorted().map((name) => join(folder, name));
  } catch (error) {
    faults.push(`${place}: include_dir cannot be read: ${(error as Error).message}`);
    return [];
  }
}
