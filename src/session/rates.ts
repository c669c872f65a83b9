/** What may come in a second; undefined is unlimited. */
export interface Rate {
  readonly connections: number | undefined;
  readonly messages: number | undefined;
  readonly bytes: number | undefined;
}

/** Rates of the connections of a listener. */
export interface Rates {
  /** For each Client Identifier. */
  readonly client: Rate;
  readonly user: Rate;
  /** For each remote host. */
  readonly address: Rate;
  /** For the listener as a whole. */
  readonly listener: Rate;
  /** What nobody used in so many seconds may come at once. */
  readonly burstSeconds: number;
  /** Whether who sends too much is read later, or disconnected. */
  readonly onExcess: 'slow' | 'disconnect';
  /** The listener that these are for alone; empty for the common ones, counted together. */
  readonly scope: string;
}
