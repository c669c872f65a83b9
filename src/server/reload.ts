import { isDeepStrictEqual } from 'node:util';
import { snakeCase } from './config/vocabulary.js';
import type { Config } from './config.js';
import { ExitCode, StartError } from './exit-code.js';

/**
 * A part of the broker that takes a new configuration while it runs. First all parts `prepare`,
 * which reads and judges and changes nothing; only when none of them rejects, all are applied.
 */
export interface Reloadable {
  /** Rejects with a `StartError`, whose sentences are told, where something cannot be used. */
  prepare(next: Config, current: Config): Promise<PreparedReload>;
}

export interface PreparedReload {
  apply(): void;
  /** Sentences that say what was changed and takes effect only after a restart. */
  readonly needsRestart?: readonly string[];
}

/** All parts of a running broker that take a new configuration. */
export class Reloads {
  readonly #parts: Reloadable[] = [];
  #current: Config;
  #last: Promise<unknown> = Promise.resolve();

  constructor(current: Config) {
    this.#current = current;
  }

  add(part: Reloadable): void {
    this.#parts.push(part);
  }

  /**
   * Applies all of it or nothing: rejects with a `StartError` that has every sentence. Resolves
   * with what needs a restart. One at a time.
   */
  reload(next: Config): Promise<readonly string[]> {
    const turn = this.#last.then(() => this.#reload(next));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #reload(next: Config): Promise<readonly string[]> {
    const preparing = this.#parts.map((part) => part.prepare(next, this.#current));
    const results = await Promise.allSettled(preparing);
    const faults = results.flatMap((result) =>
      result.status === 'rejected' ? sentencesOf(result.reason) : [],
    );
    if (faults.length > 0) throw new StartError(ExitCode.Usage, faults);
    const prepared = results.flatMap((result) =>
      result.status === 'fulfilled' ? [result.value] : [],
    );
    for (const part of prepared) part.apply();
    this.#current = next;
    return prepared.flatMap(({ needsRestart = [] }) => needsRestart);
  }
}

function sentencesOf(error: unknown): readonly string[] {
  if (!(error instanceof StartError)) throw error;
  return error.sentences;
}

const AT_START_ONLY = [
  'data',
  'inMemory',
  'durability',
  'sharingStrategy',
  'logFormat',
  'mdnsName',
  'acme',
  'devices',
  'deviceCare',
] as const;

/** What is read at the start only. */
export function atStartOnly(started: Config): Reloadable {
  const prepare = async (next: Config): Promise<PreparedReload> => {
    const changed = AT_START_ONLY.filter((name) => !isDeepStrictEqual(next[name], started[name]));
    const needsRestart = changed.map(
      (name) => `${snakeCase(name)} stays ${told(started[name])} until the broker is started again`,
    );
    return { apply: () => {}, needsRestart };
  };
  return { prepare };
}

function told(value: unknown): string {
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : 'as it is';
}
