import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

// Linux reports processor time in ticks of a hundredth of a second.
const TICK_MICROSECONDS = 10_000;
const KIB = 1024;

const LOOK_EVERY_MS = 500;
const STILL_MS = 10_000;
const STILL_BYTES = 256 * KIB;
const SETTLE_MS_MAX = 45_000;

/** Processor time that a process and all its threads used since its start, in microseconds. */
export function processorMicroseconds(pid: number): number {
  const fields = afterName(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS;
}

export interface Memory {
  /** Pages in memory, those shared with other processes included. */
  readonly residentBytes: number;
  /** The same with each shared page divided among those that share it. */
  readonly proportionalBytes: number;
}

export function memory(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return { residentBytes: kibOf(text, 'Rss'), proportionalBytes: kibOf(text, 'Pss') };
}

/**
 * Memory when it has stood still for ten seconds: a runtime gives back what it does not need some
 * time after the work.
 */
export async function settledMemory(pid: number): Promise<Memory> {
  const beganMs = performance.now();
  let level = memory(pid);
  let stillSinceMs = beganMs;
  for (;;) {
    await delay(LOOK_EVERY_MS);
    const now = memory(pid);
    const nowMs = performance.now();
    if (Math.abs(now.residentBytes - level.residentBytes) > STILL_BYTES) {
      level = now;
      stillSinceMs = nowMs;
    }
    if (nowMs - stillSinceMs >= STILL_MS || nowMs - beganMs >= SETTLE_MS_MAX) return now;
  }
}

function kibOf(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) * KIB;
}

/** The program's name stands in parentheses and may hold anything: count from behind it. */
function afterName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
