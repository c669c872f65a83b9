/** Healthy clients of one broker over some time, QoS 1 from PUBLISH to PUBLISH. */
export interface Waited {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** One attack, as `test/attacks/attacked-broker.ts` writes it down. */
export interface Measured {
  /** The test file without its ending, and the name of the test. */
  readonly file: string;
  readonly test: string;
  /** The attacked broker before the attack and during it. */
  readonly quiet: Waited;
  readonly pulse: Waited;
  /** A broker that nobody attacks, during the attack: what it suffers is the machine's doing. */
  readonly control: Waited;
  /** By which the highest memory of the broker grew. */
  readonly growthMiB: number;
  /** Of the log. */
  readonly lines: number;
  readonly event?: string;
}

export function parseResults(lines: string): readonly Measured[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Measured);
}

/** How many times as long as in quiet, or as beside a broker that nobody attacked. */
export function timesQuiet({ quiet, pulse, control }: Measured): {
  readonly own: number;
  readonly machine: number;
} {
  return { own: pulse.p99Ms / quiet.p99Ms, machine: pulse.p99Ms / control.p99Ms };
}
