/** How the process ends; documented for scripts and service managers. */
export const ExitCode = {
  Stopped: 0,
  /** An address was taken, the system said no, or a second signal asked for an end at once. */
  Failure: 1,
  /** A flag, an environment variable or a line of the configuration is wrong. */
  Usage: 2,
  /**
   * The store failed while running: nothing that was acknowledged is lost, nothing more is
   * accepted.
   */
  StoreFailed: 3,
  /** The data folder cannot be used: damaged, of a newer version, or held by another process. */
  StoreUnusable: 4,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** Ends the process with sentences for the user instead of a stack. */
export class StartError extends Error {
  readonly exitCode: ExitCode;
  readonly sentences: readonly string[];

  constructor(exitCode: ExitCode, sentences: readonly string[], cause?: unknown) {
    super(sentences.join('\n'), { cause });
    this.name = 'StartError';
    this.exitCode = exitCode;
    this.sentences = sentences;
  }
}
