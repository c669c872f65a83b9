import { expect, test } from 'vitest';
import { WorkQueue } from '../../../src/extensions/authentication/work-queue.js';

/** Work that ends when it is told to. */
class Jobs {
  readonly started: string[] = [];
  readonly #ends = new Map<string, () => void>();

  job(name: string): () => Promise<string> {
    return () =>
      new Promise((resolve) => {
        this.started.push(name);
        this.#ends.set(name, () => resolve(name));
      });
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)!();
    await new Promise(setImmediate);
  }
}

function party(host: string, userName?: string) {
  return { host, userName };
}

const isHere = (): boolean => false;

test('no more run at once than may, and parties take turns', async () => {
  const queue = new WorkQueue(2, 100);
  const jobs = new Jobs();
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1']) {
    void queue.run(party(name[0]!), isHere, jobs.job(name));
  }
  expect(jobs.started).toEqual(['a1', 'a2']);
  for (const name of ['a1', 'a2', 'a3', 'b1', 'c1']) await jobs.end(name);
  expect(jobs.started).toEqual(['a1', 'a2', 'a3', 'b1', 'c1', 'a4']);
  expect(queue.running).toBe(1);
  await jobs.end('a4');
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
});

test('a user is not held up by the many attempts of another one behind the same address', async () => {
  const queue = new WorkQueue(1, 100);
  const jobs = new Jobs();
  for (let i = 1; i < 9; i++) void queue.run(party('nat', 'broken'), isHere, jobs.job(`b${i}`));
  void queue.run(party('nat', 'good'), isHere, jobs.job('good'));
  void queue.run(party('elsewhere', 'good'), isHere, jobs.job('other'));
  for (const name of ['b1', 'b2', 'other', 'good']) await jobs.end(name);
  expect(jobs.started).toEqual(['b1', 'b2', 'other', 'good', 'b3']);
});

test('what finds no room is told at once; one party fills half of it at most', async () => {
  const queue = new WorkQueue(1, 4);
  const jobs = new Jobs();
  const results = ['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'd1'].map((name) =>
    queue.run(party(name[0]!), isHere, jobs.job(name)),
  );
  expect(queue.waiting).toBe(4);
  expect(await Promise.all([results[3], results[6]])).toEqual([undefined, undefined]);
  for (const name of ['a1', 'a2', 'b1', 'c1', 'a3']) await jobs.end(name);
  expect(await Promise.all(results)).toEqual(['a1', 'a2', 'a3', undefined, 'b1', 'c1', undefined]);
});

test('what nobody waits for any more is left out', async () => {
  const queue = new WorkQueue(1, 10);
  const jobs = new Jobs();
  let isGone = false;
  const first = queue.run(party('a'), isHere, jobs.job('first'));
  const second = queue.run(party('a'), () => isGone, jobs.job('second'));
  const third = queue.run(party('a'), isHere, jobs.job('third'));
  isGone = true;
  await jobs.end('first');
  await jobs.end('third');
  expect(await Promise.all([first, second, third])).toEqual(['first', undefined, 'third']);
  expect(jobs.started).toEqual(['first', 'third']);
  expect([queue.running, queue.waiting]).toEqual([0, 0]);
});

test('work that fails frees its place', async () => {
  const queue = new WorkQueue(1, 10);
  await expect(
    queue.run(party('a'), isHere, () => Promise.reject(new Error('no'))),
  ).rejects.toThrow('no');
  expect(await queue.run(party('a'), isHere, async () => 'yes')).toBe('yes');
});
