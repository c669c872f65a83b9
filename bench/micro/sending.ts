import { TimerEntry } from '../../src/base/clock.js';
import { TimerWheel } from '../../src/base/timer-wheel.js';
import { BufferPool } from '../../src/session/buffer-pool.js';
import { Outbox } from '../../src/session/outbox.js';
import { Batch } from '../../src/store/engine.js';
import { GroupCommit, Operation } from '../../src/store/group-commit.js';
import { MemoryEngine } from '../../src/store/memory-engine.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../../src/wire/application-message.js';
import { PublishFrame } from '../../src/wire/publish-frame.js';
import { CountingNetwork, ManualTick } from './in-process.js';
import { type MicroTask, sink } from './task.js';

const OPERATIONS = 1000;
const OUTBOX_BYTES_MAX = 2 ** 24;

export function sendingTasks(): MicroTask[] {
  return [outbox(64), outbox(4096), groupCommit(), rearm(), armAndFire()];
}

/** So many PUBLISH packets to one connection, then the end of the tick. */
function outbox(payloadBytes: number): MicroTask {
  const tick = new ManualTick();
  const network = new CountingNetwork();
  const box = new Outbox(network, tick, new BufferPool(), OUTBOX_BYTES_MAX, {
    drained() {},
    sent() {},
    sentHeld() {},
  });
  const frame = new PublishFrame();
  const topic = Buffer.from('load/site-0001/temperature');
  const message = new ApplicationMessage(
    topic.toString(),
    topic,
    Buffer.alloc(payloadBytes, 'x'),
    new Uint8Array(0),
    1,
    false,
    NEVER_EXPIRES,
    'publisher',
  );
  frame.fromMessage(message, 0);
  const template = frame.template(4, true);
  const run = (): void => {
    for (let i = 1; i <= OPERATIONS; i++) box.appendPublish(frame, template, 0x32, i);
    tick.end();
    sink.value += network.bytes;
  };
  return { name: `outbox, PUBLISH of ${payloadBytes} bytes`, operations: OPERATIONS, run };
}

class Put extends Operation {
  readonly key: Uint8Array;

  constructor(key: Uint8Array) {
    super();
    this.key = key;
  }
}

/** Puts with a waiter each, written as one batch: without the disk. */
function groupCommit(): MicroTask {
  const tick = new ManualTick();
  const value = new Uint8Array(100);
  const commit = new GroupCommit<Put>({
    engine: new MemoryEngine(tick),
    endOfTick: tick,
    encode: (operations) => {
      const batch = new Batch();
      for (const { key } of operations) batch.put(key, value);
      return batch;
    },
    onFailure: () => {},
  });
  const keys = Array.from({ length: OPERATIONS }, (_, i) => Buffer.from(`key-${i}`));
  const waiter = {
    committed: (): void => {
      sink.value++;
    },
  };
  const run = (): void => {
    for (const key of keys) {
      commit.put(new Put(key), 100);
      commit.afterCommit(waiter);
    }
    tick.end();
  };
  return { name: 'group commit, one put and its waiter', operations: OPERATIONS, run };
}

/** What every packet does to its connection's Keep Alive. */
function rearm(): MicroTask {
  const wheel = new TimerWheel(0);
  const entries = Array.from({ length: OPERATIONS }, () => new TimerEntry(() => {}));
  for (const entry of entries) wheel.arm(entry, 60_000);
  const run = (): void => {
    for (const entry of entries) wheel.arm(entry, 90_000);
  };
  return { name: 'timer wheel, arm again', operations: OPERATIONS, run };
}

function armAndFire(): MicroTask {
  let nowMs = 0;
  const wheel = new TimerWheel(nowMs);
  const count = (): void => {
    sink.value++;
  };
  const entries = Array.from({ length: OPERATIONS }, () => new TimerEntry(count));
  const run = (): void => {
    for (let i = 0; i < OPERATIONS; i++) wheel.arm(entries[i]!, i);
    nowMs += OPERATIONS + 10;
    wheel.advance(nowMs);
  };
  return { name: 'timer wheel, arm and fire', operations: OPERATIONS, run };
}
