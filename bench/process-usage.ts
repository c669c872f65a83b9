import { readFileSync } from 'node:fs';

// Linux reports processor time in ticks of a hundredth of a second.
const TICK_MICROSECONDS = 10_000;
const PAGE_BYTES = 4096;

/** Processor time that another process used since its start, in microseconds. */
export function processorMicroseconds(pid: number): number {
  const fields = afterName(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return (Number(fields[11]) + Number(fields[12])) * TICK_MICROSECONDS;
}

export function residentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
}

/** The program's name stands in parentheses and may hold anything: count from behind it. */
function afterName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
