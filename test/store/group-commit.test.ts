import { describe, expect, it } from 'vitest';
import type { StoreFailure } from '../../src/session/session-store.js';
import { Batch } from '../../src/store/engine.js';
import { GroupCommit, Operation } from '../../src/store/group-commit.js';
import { MemoryEngine } from '../../src/store/memory-engine.js';
import { ManualClock, ManualTick } from './fixtures.js';
import { ManualEngine } from './manual-engine.js';

class Put extends Operation {
  readonly n: number;

  constructor(n: number) {
    super();
    this.n = n;
  }
}

function start(graceMs?: number, busyGraceMs?: number) {
  const clock = new ManualClock();
  const tick = new ManualTick();
  const engine = new ManualEngine(new MemoryEngine(tick));
  const failures: StoreFailure[] = [];
  const heard: string[] = [];
  /** Of how many changes each batch was made, those taken back included. */
  const encoded: number[] = [];
  const commit = new GroupCommit<Put>({
    engine,
    endOfTick: tick,
    grace:
      graceMs === undefined
        ? undefined
        : {
            clock,
            timers: clock.timers,
            graceMs,
            ...(busyGraceMs !== undefined && { busyGraceMs }),
          },
    encode: (operations) => {
      encoded.push(operations.length);
      const batch = new Batch();
      for (const { n, cancelled } of operations) {
        if (!cancelled) batch.put(Uint8Array.of(n), Uint8Array.of(n));
      }
      return batch;
    },
    onFailure: (failure) => failures.push(failure),
  });
  const hear = (name: string) => ({
    committed: (ticket: number) => heard.push(`${name} ${ticket}`),
  });
  const written = () => engine.writes.map(({ keys }) => keys.map((key) => key[0]));
  return { clock, tick, encoded, engine, commit, failures, heard, hear, written };
}

describe('GroupCommit', () => {
  it('writes one batch at a time; what comes meanwhile fills the next', () => {
    const { tick, engine, commit, heard, hear, written } = start();
    commit.put(new Put(1), 10);
    commit.put(new Put(2), 10);
    commit.afterCommit(hear('a'));
    commit.afterCommit(hear('b'));
    expect(engine.isWriting).toBe(false);
    tick.end();
    commit.put(new Put(3), 10);
    tick.end();
    expect(written()).toEqual([[1, 2]]);
    expect(commit.pendingBytes).toBe(30);
    engine.complete();
    expect(heard).toEqual(['a 1', 'b 1']);
    expect(commit.pendingBytes).toBe(10);
    commit.put(new Put(4), 10);
    tick.end();
    expect(written()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    engine.complete();
    expect(commit.committedTicket).toBe(3);
    expect(heard).toEqual(['a 1', 'b 1']);
    expect(commit.pendingBytes).toBe(0);
  });

  it('never shows the engine what was taken back in time', () => {
    const { tick, engine, commit, written } = start();
    const [first, second] = [new Put(1), new Put(2)];
    commit.put(first, 10);
    commit.put(second, 10);
    expect(commit.isOpen(first)).toBe(true);
    commit.cancel(first);
    expect(commit.isOpen(first)).toBe(false);
    expect(commit.pendingBytes).toBe(10);
    tick.end();
    expect(written()).toEqual([[2]]);
    expect(commit.isOpen(second)).toBe(false);
    engine.complete();
  });

  it('commits a batch in which nothing is left without the engine, and in its turn', () => {
    const { tick, engine, commit, heard, hear } = start();
    const put = new Put(1);
    commit.put(put, 10);
    commit.cancel(put);
    commit.afterCommit(hear('a'));
    tick.end();
    expect(heard).toEqual(['a 1']);
    commit.put(new Put(2), 10);
    tick.end();
    commit.afterCommit(hear('b'));
    tick.end();
    expect(heard).toEqual(['a 1']);
    engine.complete();
    expect(heard).toEqual(['a 1', 'b 2']);
    expect(engine.operations).toBe(1);
  });

  it('calls a waiter once a commit; it registers again until its ticket has come', () => {
    const { tick, engine, commit, heard } = start();
    commit.put(new Put(1), 10);
    tick.end();
    const waiter = {
      ticket: commit.openTicket,
      committed(ticket: number): void {
        heard.push(`${ticket}`);
        if (ticket < this.ticket) commit.afterCommit(this);
      },
    };
    commit.put(new Put(2), 10);
    commit.afterCommit(waiter);
    engine.complete();
    tick.end();
    engine.complete();
    tick.end();
    expect(heard).toEqual(['1', '2']);
    expect(engine.isWriting).toBe(false);
  });

  it('latches a failure: said once, and nothing is ever committed again', () => {
    const { tick, engine, commit, failures, heard, hear } = start();
    engine.failAt = 1;
    commit.put(new Put(1), 10);
    commit.afterCommit(hear('a'));
    tick.end();
    commit.put(new Put(2), 10);
    commit.afterCommit(hear('b'));
    engine.complete();
    commit.put(new Put(3), 10);
    commit.afterCommit(hear('c'));
    tick.end();
    expect(heard).toEqual([]);
    expect(failures.length).toBe(1);
    expect(commit.failure).toBe(failures[0]);
    expect(commit.committedTicket).toBe(0);
    expect(engine.writes.length).toBe(1);
    expect(engine.isWriting).toBe(false);
  });
});

describe('GroupCommit that waits for acknowledgements', () => {
  it('commits without the engine what has been discharged, turn by turn and in order', () => {
    const { tick, engine, commit, heard, hear } = start(5);
    const [first, second, third] = [new Put(1), new Put(2), new Put(3)];
    commit.put(first, 10, 'soon');
    commit.put(second, 10, 'soon');
    commit.afterCommit(hear('a'));
    tick.end();
    commit.put(third, 10, 'soon');
    tick.end();
    commit.discharge(third);
    commit.discharge(first);
    tick.end();
    expect(heard).toEqual([]);
    commit.discharge(second);
    tick.end();
    expect(heard).toEqual(['a 2']);
    expect(commit.pendingBytes).toBe(0);
    expect(engine.operations + engine.writes.length).toBe(0);
  });

  it('writes what nobody has discharged in time, and all the rest with it', () => {
    const { clock, tick, engine, commit, heard, hear, written } = start(5);
    commit.put(new Put(1), 10, 'soon');
    commit.afterCommit(hear('a'));
    tick.end();
    clock.advance(4);
    commit.put(new Put(2), 10, 'soon');
    tick.end();
    expect(written()).toEqual([]);
    clock.advance(4);
    tick.end();
    expect(written()).toEqual([[1, 2]]);
    expect(heard).toEqual([]);
    engine.complete();
    expect(heard).toEqual(['a 2']);
  });

  it('does not commit without the engine what was only taken back', () => {
    const { clock, tick, commit, heard, hear } = start(5);
    const put = new Put(1);
    commit.put(put, 10, 'soon');
    commit.afterCommit(hear('a'));
    tick.end();
    commit.cancel(put);
    tick.end();
    expect(heard).toEqual([]);
    clock.advance(8);
    tick.end();
    expect(heard).toEqual(['a 1']);
  });

  it('writes no more than what is old: what came just now may still be discharged', () => {
    const { clock, tick, engine, commit, heard, hear, written } = start(8);
    const fresh = new Put(3);
    commit.put(new Put(1), 10, 'soon');
    commit.afterCommit(hear('a'));
    tick.end();
    clock.advance(4);
    commit.put(new Put(2), 20, 'soon');
    tick.end();
    clock.advance(4);
    commit.put(fresh, 30, 'soon');
    tick.end();
    expect(written()).toEqual([[1, 2]]);
    expect(commit.isOpen(fresh)).toBe(true);
    expect(commit.pendingBytes).toBe(60);
    engine.complete();
    expect(heard).toEqual(['a 2']);
    expect(commit.pendingBytes).toBe(30);
    commit.afterCommit(hear('b'));
    tick.end();
    commit.discharge(fresh);
    tick.end();
    expect(heard).toEqual(['a 2', 'b 3']);
    expect(commit.pendingBytes).toBe(0);
    clock.advance(1000);
    tick.end();
    expect(engine.isWriting).toBe(false);
    expect(written().length).toBe(1);
  });

  it('writes what was put off in time, and again what was put off behind it', () => {
    const { clock, tick, engine, commit, written } = start(8);
    commit.put(new Put(1), 10, 'later');
    tick.end();
    clock.advance(98);
    const prompt = new Put(2);
    commit.put(prompt, 10, 'soon');
    commit.put(new Put(3), 10, 'later');
    commit.put(new Put(4), 10, 'perhaps');
    tick.end();
    clock.advance(2);
    tick.end();
    expect(written()).toEqual([[1]]);
    engine.complete();
    commit.discharge(prompt);
    tick.end();
    clock.advance(200);
    tick.end();
    expect(written()).toEqual([[1], [3, 4]]);
    engine.complete();
    expect(commit.pendingBytes).toBe(0);
  });

  it('does not let what was put off make a promise late', () => {
    const { clock, tick, commit, written } = start(8);
    commit.put(new Put(1), 10, 'later');
    tick.end();
    commit.put(new Put(2), 10, 'soon');
    tick.end();
    clock.advance(12);
    tick.end();
    expect(written()).toEqual([[1, 2]]);
  });

  it('waits longer while much comes, for clients that are in time then, but not for ever', () => {
    const { clock, tick, engine, commit, written } = start(4, 100);
    const puts = Array.from({ length: 300 }, () => new Put(1));
    expect(commit.urgencyFor(50)).toBe('now');
    for (const put of puts) commit.put(put, 10, commit.urgencyFor(10));
    tick.end();
    expect(commit.urgencyFor(30)).toBe('soon');
    clock.advance(16);
    tick.end();
    for (const put of puts.slice(1)) commit.discharge(put);
    expect(written()).toEqual([]);
    clock.advance(100);
    tick.end();
    expect(written()).toEqual([[1]]);
    engine.complete();
    expect(commit.pendingBytes).toBe(0);
    clock.advance(1000);
    expect(commit.urgencyFor(50)).toBe('now');
  });

  it('takes along whatever waits when something must be written now', () => {
    const { tick, commit, written } = start(5);
    commit.put(new Put(1), 10, 'soon');
    commit.put(new Put(2), 10, 'later');
    tick.end();
    expect(written()).toEqual([]);
    commit.put(new Put(3), 10);
    tick.end();
    expect(written()).toEqual([[1, 2, 3]]);
  });

  it('puts off what nobody waits for, but not for ever, and a reader has it written', () => {
    const { clock, tick, engine, commit, heard, hear, written } = start(5);
    commit.put(new Put(1), 10, 'later');
    commit.afterCommit(hear('a'));
    tick.end();
    expect(heard).toEqual(['a 1']);
    clock.advance(99);
    tick.end();
    expect(written()).toEqual([]);
    clock.advance(1);
    tick.end();
    expect(written()).toEqual([[1]]);
    engine.complete();
    commit.put(new Put(2), 10, 'later');
    tick.end();
    const ticket = commit.flush();
    tick.end();
    expect(commit.committedTicket).toBeLessThan(ticket);
    engine.complete();
    expect(commit.committedTicket).toBe(ticket);
    expect(written()).toEqual([[1], [2]]);
  });

  it('keeps no more of what was discharged than of what is pending', () => {
    const { clock, tick, commit, encoded } = start(5);
    commit.put(new Put(0), 10, 'soon');
    for (let i = 0; i < 20_000; i++) {
      const put = new Put(1);
      commit.put(put, 10, 'soon');
      tick.end();
      commit.discharge(put);
    }
    expect(commit.pendingBytes).toBe(10);
    clock.advance(8);
    tick.end();
    expect(encoded[0]).toBeLessThan(4000);
  });
});
