import type { Engine } from '../../src/store/engine.js';
import { bodyNumberOf, Family, familyPrefix } from '../../src/store/key.js';
import { decodeNumber, decodeQueueEntry } from '../../src/store/record.js';

/** What must be true of the records on a disk at every moment; returns what is not. */
export async function diskProblems(disk: Engine): Promise<string[]> {
  const problems: string[] = [];
  const references = new Map<number, number>();
  for await (const entry of disk.scan(familyPrefix(Family.Queue))) {
    const { bodyNumber } = decodeQueueEntry(entry).queued;
    if (bodyNumber !== 0) references.set(bodyNumber, (references.get(bodyNumber) ?? 0) + 1);
  }
  const counts = new Map<number, number>();
  for await (const entry of disk.scan(familyPrefix(Family.BodyCount))) {
    counts.set(bodyNumberOf(entry.key), decodeNumber(entry));
  }
  const bodies = new Set<number>();
  for await (const entry of disk.scan(familyPrefix(Family.Body))) {
    bodies.add(bodyNumberOf(entry.key));
  }
  for (const number of new Set([...references.keys(), ...counts.keys(), ...bodies])) {
    const [found, counted] = [references.get(number), counts.get(number)];
    if (found !== counted) problems.push(`body ${number}: ${found} references, count ${counted}`);
    if (!bodies.has(number)) problems.push(`body ${number} is missing`);
  }
  return problems;
}

/** Records per family letter: to see that nothing is left behind. */
export async function recordCounts(disk: Engine): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [name, family] of Object.entries(Family)) {
    for await (const _ of disk.scan(familyPrefix(family))) counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
