import type { Criterion } from './criterion.js';
import type { Telling } from './telling.js';
import type { World } from './world.js';

/** Anything that goes into the JSON report. */
export type Measurement = number | string | boolean | null | undefined | MeasurementMap;
export interface MeasurementMap {
  readonly [name: string]: Measurement | readonly Measurement[];
}

export interface Outcome {
  readonly criteria: readonly Criterion[];
  readonly measurements: MeasurementMap;
}

export interface Scenario {
  readonly number: number;
  /** In kebab-case: `--scenario oversize-poison` works as well as its number. */
  readonly name: string;
  /** One sentence: what happens, and to whom. */
  readonly about: string;
  /** It needs a broker that outlives `kill`: one that was started here. */
  readonly needsOwnBroker?: boolean;
  /** A broker that is started here keeps its data on disk, as Dunlin does by default. */
  readonly keepsData?: boolean;
  /** It means little where the kernel buffers megabytes for a device that has kilobytes. */
  readonly smallWindows?: boolean;
  /** It takes many minutes: small where brokers are compared. */
  readonly isLong?: boolean;
  /** For a table of brokers. */
  readonly telling: Telling;
  run(world: World): Promise<Outcome>;
}
