import type { BrokerName } from '../brokers/names.js';
import type { BenchCase } from '../cases/catalog.js';
import type { CaseResult } from '../load/result.js';
import { medians } from './medians.js';

/** All runs of one case, by broker. */
export class Comparison {
  readonly benchCase: BenchCase;
  readonly runs: Map<BrokerName, CaseResult[]> = new Map();

  constructor(benchCase: BenchCase) {
    this.benchCase = benchCase;
  }

  add(broker: BrokerName, result: CaseResult): void {
    const runs = this.runs.get(broker);
    if (runs === undefined) this.runs.set(broker, [result]);
    else runs.push(result);
  }

  /** Undefined when the broker took no part. */
  result(broker: BrokerName): CaseResult | undefined {
    const runs = this.runs.get(broker);
    return runs === undefined ? undefined : medians(runs);
  }
}

/** What the case is compared by: memory where it measures that, else processor time. */
export function costOf(result: CaseResult | undefined): number | undefined {
  if (result === undefined || result.failure !== undefined) return undefined;
  return result.bytesEach ?? result.brokerMicroseconds;
}

export function ratio(above: number | undefined, below: number | undefined): number | undefined {
  if (above === undefined || below === undefined || below <= 0) return undefined;
  return above / below;
}
