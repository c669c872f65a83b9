/** What one kind of link does to bytes. Rates are of payload and headers together. */
export interface LinkProfile {
  readonly name: string;
  readonly upBytesPerSecond: number;
  readonly downBytesPerSecond: number;
  /** One way. */
  readonly latencyMs: number;
  /** Up to so much more, evenly; a stream never overtakes itself. */
  readonly jitterMs: number;
  /** Towards the device jitter may differ: a station that sleeps is told at the next beacon. */
  readonly downJitterMs?: number;
  /** Largest payload of one segment; 1 makes each byte travel alone. */
  readonly segmentBytes: number;
  /** What the device sends may be cut smaller. */
  readonly upSegmentBytes?: number;
  /** Charged for each segment: 40 for IP and TCP without options. */
  readonly headerBytes: number;
  /** For `forMs` out of every `everyMs` nothing moves. */
  readonly stall?: { readonly everyMs: number; readonly forMs: number };
  /** Unacknowledged bytes towards the device: the receive window of a small stack. */
  readonly windowBytes?: number;
  /** Which radio pays for it; see `energy/radios.ts`. */
  readonly radio: string;
  /** Where the figures come from. */
  readonly source: string;
}

/** Nothing in between: loopback as it is. */
export const NO_LIMIT: LinkProfile = {
  name: 'lan',
  upBytesPerSecond: Number.POSITIVE_INFINITY,
  downBytesPerSecond: Number.POSITIVE_INFINITY,
  latencyMs: 0,
  jitterMs: 0,
  segmentBytes: 65_536,
  headerBytes: 40,
  radio: 'mains',
  source: 'loopback as it is',
};
