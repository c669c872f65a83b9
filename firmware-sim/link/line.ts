/** What a line tells whoever holds its end. */
export interface LineEvents {
  opened(): void;
  data(bytes: Buffer): void;
  /** Once, whoever ended it; also when it never opened. `reset`: not by an orderly end. */
  closed(reset: boolean): void;
}

/** One end of a byte stream. */
export interface Line {
  /** Of the socket below, where there is one: what the broker sees as the peer's port. */
  readonly localPort: number | undefined;
  write(bytes: Buffer): void;
  /** Orderly, behind what was written. */
  end(): void;
  /** At once; what is under way is gone. */
  reset(): void;
  /** Reads no more until `resume`: the other side sees its window fill. */
  pause(): void;
  resume(): void;
}

/**
 * Opens a line. It may tell `opened` before it returns only where nothing stands in between.
 */
export type Dial = (events: LineEvents) => Line;
