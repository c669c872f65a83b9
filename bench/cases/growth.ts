import { setTimeout as delay } from 'node:timers/promises';
import { settledMemory } from '../load/process-usage.js';
import { type CaseResult, MIB, pidOf, type Target } from '../load/result.js';
import { plainShape, type Shape } from '../load/shape.js';
import { runTraffic } from '../load/traffic.js';

const LOOK_EVERY_MS = 20;
/** By then the compiler has done its work and the buffers have their sizes. */
const EARLY_SHARE = 0.1;
const NO_WARM_UP = { seconds: 0, warmUpSeconds: 0 };

interface Stage {
  readonly shape: Shape;
  readonly messages: number;
}

/** So many QoS 0 messages, then so many QoS 1 messages to Sessions that are kept. */
export function growthStages(qos0: number, qos1: number): readonly Stage[] {
  return [
    { shape: { ...plainShape, window: 20 }, messages: qos0 },
    { shape: { ...plainShape, qos: 1, window: 20, persistent: true }, messages: qos1 },
  ];
}

/**
 * What the broker's memory grows by from a tenth of each stage to its end. Each time it is measured
 * when it has settled: under load it tells when garbage was collected last.
 */
export async function runGrowth(stages: readonly Stage[], target: Target): Promise<CaseResult> {
  const pid = pidOf(target);
  const found: { early: number; late: number }[] = [];
  for (const { shape, messages } of stages) {
    const settled: number[] = [];
    for (const share of [EARLY_SHARE, 1 - EARLY_SHARE]) {
      const { failure } = await runTraffic(shape, target, NO_WARM_UP, async (delivered) => {
        while (delivered() < messages * share) await delay(LOOK_EVERY_MS);
      });
      if (failure !== undefined) return { failure };
      settled.push((await settledMemory(pid)).residentBytes / MIB);
    }
    found.push({ early: settled[0]!, late: settled[1]! });
  }
  const shown = found.map(({ early, late }) => `${early.toFixed(1)} to ${late.toFixed(1)} MiB`);
  return {
    failure: undefined,
    residentMiB: found[found.length - 1]!.late,
    grownMiB: Math.max(...found.map(({ early, late }) => late - early)),
    note: `from 10 % of the messages to the end: ${shown.join(', ')}`,
  };
}
