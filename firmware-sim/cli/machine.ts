import { availableParallelism, cpus, totalmem, type } from 'node:os';

const GIGABYTE = 2 ** 30;

/** For whoever compares numbers of two reports. */
export function machineInWords(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const memory = `${Math.round(totalmem() / GIGABYTE)} GiB`;
  return `${availableParallelism()} cores of ${model}, ${memory}, ${type()}, Node ${process.versions.node}`;
}
