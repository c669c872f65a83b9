import type { Config } from './config.js';

/**
 * A part of the broker that takes a new configuration while it runs. All parts first `prepare`,
 * which reads and judges and changes nothing; only when none of them rejects, all `apply`.
 */
export interface Reloadable {
  /** Rejects with a sentence (or with a `StartError` with several) for what cannot be used. */
  prepare(next: Config): Promise<PreparedReload>;
}

export interface PreparedReload {
  apply(): void;
  /** Sentences that say what takes effect only after a restart. */
  readonly needsRestart: readonly string[];
}
