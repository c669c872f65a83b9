import { expect, test } from 'vitest';
import { HandleConnection, type HandleConnections } from '../../src/transport/handle-connection.js';
import { readTurns } from '../../src/transport/read-turns.js';
import type { StreamHandle, StreamReader } from '../../src/transport/stream-handle.js';
import { RecordingBroker } from './recorder.js';

const FULL = new Uint8Array(65_536);
/** So often the system reads one stream before it looks at another, while reads are full. */
const READS_IN_A_TURN = 32;

/** Of those that cost nothing. */
const FULL_READS_MAX = 4;

/** A stream that has always more to read. */
class Endless {
  isReading = false;
  reader: StreamReader | undefined = undefined;

  readStart(): number {
    this.isReading = true;
    return 0;
  }

  readStop(): number {
    this.isReading = false;
    return 0;
  }

  shutdown(): number {
    return 0;
  }

  close(): void {}

  turn(bytes = FULL): number {
    let reads = 0;
    while (this.isReading && reads < READS_IN_A_TURN) {
      this.reader!.read(bytes);
      reads++;
    }
    return reads;
  }
}

/** Those of other tests as well. */
async function everybodyHadATurn(): Promise<void> {
  do await new Promise(setImmediate);
  while (readTurns.waiting > 0);
}

async function serve() {
  const handle = new Endless();
  const streams = {
    attach: (_: StreamHandle, reader: StreamReader) => {
      handle.reader = reader;
    },
    newWrite: () => ({ oncomplete() {} }),
    newShutdown: () => ({ oncomplete() {} }),
  };
  const shared = { streams, all: new Set() } as unknown as HandleConnections;
  const broker = new RecordingBroker();
  const peer = { address: '192.0.2.1:1', host: '192.0.2.1', listener: 'mqtt://127.0.0.1:1883' };
  HandleConnection.serve(handle as unknown as StreamHandle, peer, shared, broker.accept);
  const recorder = await broker.next();
  return { handle, recorder, network: recorder.network };
}

test('who sends without end lets others in between, and is read on in the next turn', async () => {
  const { handle } = await serve();
  for (let turn = 0; turn < 3; turn++) {
    const reads = handle.turn();
    expect(reads).toBeGreaterThan(0);
    expect(reads).toBeLessThanOrEqual(FULL_READS_MAX);
    await everybodyHadATurn();
  }
});

test('what takes long ends the turn at once', async () => {
  const { handle, recorder } = await serve();
  recorder.onReceive = () => {
    const sinceMs = performance.now();
    while (performance.now() - sinceMs < 1);
  };
  expect(handle.turn()).toBe(1);
});

test('short reads are taken as they come', async () => {
  const { handle } = await serve();
  expect(handle.turn(new Uint8Array(1000))).toBe(READS_IN_A_TURN);
});

test('many reads that are not full are as much as a full one', async () => {
  const { handle } = await serve();
  const reads = handle.turn(new Uint8Array(FULL.length / 2));
  expect(reads).toBeLessThanOrEqual(2 * FULL_READS_MAX);
});

test('what is only dropped, since the connection ends, takes turns as well', async () => {
  const { handle, network } = await serve();
  handle.turn();
  network.close('after-flush');
  expect(handle.turn()).toBe(0);
  await everybodyHadATurn();
  expect(handle.turn()).toBeGreaterThan(0);
});

test('a connection that is paused meanwhile stays so', async () => {
  const { handle, network } = await serve();
  handle.turn();
  network.pauseReading();
  await everybodyHadATurn();
  expect(handle.isReading).toBe(false);
  network.resumeReading();
  expect(handle.turn()).toBeGreaterThan(0);
});
