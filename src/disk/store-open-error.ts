export type StoreOpenErrorCode =
  /** Another process has the store open. */
  | 'locked'
  /** A later version of the broker has written it. */
  | 'newer-format'
  | 'damaged'
  /** The disk is full. */
  | 'full'
  /** Permissions, a read-only disk, or a disk that fails. */
  | 'unreadable'
  /** The folder holds something else. */
  | 'not-a-store';

/**
 * Why a store was not opened. The message is one sentence for a person: what, where and what to do.
 */
export class StoreOpenError extends Error {
  override readonly name = 'StoreOpenError';
  readonly code: StoreOpenErrorCode;

  constructor(code: StoreOpenErrorCode, sentence: string, cause?: unknown) {
    super(sentence, { cause });
    this.code = code;
  }
}

export function damaged(folder: string, what: string, cause?: unknown): StoreOpenError {
  return new StoreOpenError(
    'damaged',
    `The store in ${folder} is damaged (${what}); nothing was changed: restore the folder from a ` +
      'backup, or move it away to begin with an empty store.',
    cause,
  );
}

/** What went wrong with the file system, as the code and the sentence that help most. */
export function fileSystemError(folder: string, cause: unknown): StoreOpenError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (isFull(reason)) {
    return new StoreOpenError(
      'full',
      `The store in ${folder} cannot be opened because the disk is full; free some space and start ` +
        'the broker again.',
      cause,
    );
  }
  return new StoreOpenError(
    'unreadable',
    `The store in ${folder} cannot be read or written (${reason}); check that the folder exists, ` +
      "that its disk works and that it belongs to the broker's user.",
    cause,
  );
}

/** Whether an error's text, of Node or of LevelDB, says that no space is left. */
export function isFull(reason: string): boolean {
  return /ENOSPC|EDQUOT|no space left|quota exceeded/i.test(reason);
}
