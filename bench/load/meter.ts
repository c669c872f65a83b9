import { memory, processorMicroseconds } from './process-usage.js';
import { type CaseResult, MIB, type Target } from './result.js';

interface Reading {
  readonly atMs: number;
  readonly units: number;
  readonly ownMicroseconds: number;
  readonly brokerMicroseconds: number;
}

/** Measures the time and the processor time of both sides between two moments. */
export class Meter {
  readonly #target: Target;
  readonly #count: () => number;
  #start: Reading;

  /** `count` tells how many units are done. */
  constructor(target: Target, count: () => number) {
    this.#target = target;
    this.#count = count;
    this.#start = this.#read();
  }

  restart(): void {
    this.#start = this.#read();
  }

  result(): CaseResult {
    const start = this.#start;
    const end = this.#read();
    const units = end.units - start.units;
    const seconds = (end.atMs - start.atMs) / 1000;
    const broker = end.brokerMicroseconds - start.brokerMicroseconds;
    const { pid } = this.#target;
    const used = pid === undefined ? undefined : memory(pid);
    return {
      perSecond: units / seconds,
      generatorMicroseconds: (end.ownMicroseconds - start.ownMicroseconds) / Math.max(1, units),
      ...(used !== undefined && {
        brokerMicroseconds: broker / Math.max(1, units),
        brokerCorePercent: broker / seconds / 10_000,
        residentMiB: used.residentBytes / MIB,
        proportionalMiB: used.proportionalBytes / MIB,
      }),
    };
  }

  #read(): Reading {
    const { pid } = this.#target;
    const own = process.cpuUsage();
    return {
      atMs: performance.now(),
      units: this.#count(),
      ownMicroseconds: own.user + own.system,
      brokerMicroseconds: pid === undefined ? 0 : processorMicroseconds(pid),
    };
  }
}
