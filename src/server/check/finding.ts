import type { Config } from '../config.js';

/** One thing that `dunlin check` has to say. */
export interface Finding {
  /** An error keeps the broker from starting or from doing what is asked of it. */
  readonly severity: 'error' | 'warning';
  /** What it is about: a key such as `listen[0].tls.certificate`, or a file with its line. */
  readonly place: string;
  /** What is wrong or open, and what to do. */
  readonly sentence: string;
}

/**
 * One part of `dunlin check`: reads what the broker would read and answers with everything it
 * finds; changes nothing, and rejects never.
 */
export type ConfigCheck = (config: Config) => Promise<readonly Finding[]>;
