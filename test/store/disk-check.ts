import type { Engine } from '../../src/store/engine.js';
import {
  bodyNumberOf,
  Family,
  familyPrefix,
  sequenceOf,
  sessionNumberOf,
} from '../../src/store/key.js';
import {
  decodeExchange,
  decodeNumber,
  decodePosition,
  decodeQueueEntry,
} from '../../src/store/record.js';

/** What must be true of the records on a disk at every moment; returns what is not. */
export async function diskProblems(disk: Engine): Promise<string[]> {
  return [...(await bodyProblems(disk)), ...(await positionProblems(disk))];
}

/** The messages of a queue by sequence: their bytes, 0 where the exchange is all that is left. */
async function queuesOn(disk: Engine): Promise<Map<number, Map<number, number>>> {
  const queues = new Map<number, Map<number, number>>();
  for await (const { key } of disk.scan(familyPrefix(Family.Session))) {
    queues.set(sessionNumberOf(key), new Map());
  }
  for await (const entry of disk.scan(familyPrefix(Family.Queue))) {
    const { queued } = decodeQueueEntry(entry);
    const bytes = queued.message === undefined ? queued.bodyBytes : queued.message.bytes;
    queues.get(sessionNumberOf(entry.key))?.set(sequenceOf(entry.key), bytes);
  }
  for await (const entry of disk.scan(familyPrefix(Family.Exchange))) {
    const { sequence, released } = decodeExchange(entry);
    if (released) queues.get(sessionNumberOf(entry.key))?.set(sequence, 0);
  }
  return queues;
}

/** A position tells of the entries that are there, no more and no fewer. */
async function positionProblems(disk: Engine): Promise<string[]> {
  const problems: string[] = [];
  const queues = await queuesOn(disk);
  for await (const entry of disk.scan(familyPrefix(Family.Position))) {
    const number = sessionNumberOf(entry.key);
    const queue = queues.get(number);
    if (queue === undefined) continue;
    queues.delete(number);
    const { headSequence, tailSequence, count, bytes } = decodePosition(entry);
    const found = [...queue.values()].reduce((sum, one) => sum + one, 0);
    if (count !== queue.size || bytes !== found) {
      problems.push(
        `session ${number}: ${queue.size} messages of ${found} bytes, counted ${count} of ${bytes}`,
      );
    }
    for (const [sequence, ofEntry] of queue) {
      const isBefore = ofEntry > 0 && sequence < headSequence;
      if (!isBefore && sequence < tailSequence) continue;
      const place = `${headSequence} to ${tailSequence}`;
      problems.push(`session ${number}: entry ${sequence} is outside of ${place}`);
    }
  }
  for (const [number, queue] of queues) {
    if (queue.size > 0) problems.push(`session ${number}: entries without a position`);
  }
  return problems;
}

async function bodyProblems(disk: Engine): Promise<string[]> {
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
