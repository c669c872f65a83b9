/** What one run of one case found. Undefined stands for what the case does not measure. */
export interface CaseResult {
  /** Why the run counts for nothing: lost, repeated or disordered messages, refused clients. */
  readonly failure?: string | undefined;
  /** What is counted, when it is not delivered messages. */
  readonly unit?: string | undefined;
  readonly perSecond?: number | undefined;
  readonly p50Ms?: number | undefined;
  readonly p99Ms?: number | undefined;
  readonly p999Ms?: number | undefined;
  /** Processor time of the broker per unit, user and system. */
  readonly brokerMicroseconds?: number | undefined;
  /** The same of the load generator: where both add up to a full core each, it was the limit. */
  readonly generatorMicroseconds?: number | undefined;
  /** Share of a core that the broker used. */
  readonly brokerCorePercent?: number | undefined;
  readonly residentMiB?: number | undefined;
  readonly proportionalMiB?: number | undefined;
  /** Memory of the broker before the case began. */
  readonly idleMiB?: number | undefined;
  /** What the memory of the broker grew by under load. */
  readonly grownMiB?: number | undefined;
  /** Memory that each connection, or each Session, added. */
  readonly bytesEach?: number | undefined;
  readonly published?: number | undefined;
  readonly delivered?: number | undefined;
  readonly missing?: number | undefined;
  readonly unexpected?: number | undefined;
  readonly note?: string | undefined;
}

/** The broker under load. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly webSocketPort: number | undefined;
  readonly pid: number | undefined;
}

/** Of a target whose memory is measured. */
export function pidOf({ pid }: Target): number {
  if (pid === undefined) throw new Error('this case measures memory: it needs the broker’s --pid');
  return pid;
}

export interface Duration {
  readonly seconds: number;
  readonly warmUpSeconds: number;
}

export const MIB: number = 2 ** 20;
