import { readFileSync } from 'node:fs';

// Linux reports processor time in ticks of a hundredth of a second.
const TICK_MICROSECONDS = 10_000;
const KIB = 1024;

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

function kibOf(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? Number.NaN) * KIB;
}

/** The program's name stands in parentheses and may hold anything: count from behind it. */
function afterName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
