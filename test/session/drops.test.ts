import { expect, test } from 'vitest';
import { type Drop, Drops } from '../../src/session/drops.js';
import { DropReason, Statistics } from '../../src/session/statistics.js';
import { type LogLine, recordingLogger } from '../broker/recording-logger.js';
import { TestTime } from '../broker/test-time.js';

const topic = Uint8Array.from(Buffer.from('a/b'));

function setUp(watches = true) {
  const log: LogLine[] = [];
  const time = new TestTime();
  const statistics = new Statistics();
  const told: Drop[] = [];
  const watchers = { empty: !watches, run: (drop: Drop) => told.push(drop) };
  const drops = new Drops(statistics, recordingLogger(log), time, watchers);
  return { log, time, statistics, told, drops };
}

test('each is counted and told to the watchers', () => {
  const { drops, statistics, told } = setUp();
  for (const reason of Object.values(DropReason)) drops.record('c', reason, topic);
  expect(Object.values(statistics.dropped)).toEqual(Object.values(DropReason).map(() => 1));
  expect(told).toHaveLength(Object.values(DropReason).length);
  expect(told[0]).toEqual({ clientIdentifier: 'c', reason: 'queue_full', topicName: 'a/b' });
  const silent = setUp(false);
  silent.drops.record('c', DropReason.Expired, topic);
  expect(silent.told).toEqual([]);
});

test('the log has one line a minute for each client and reason, and the next tells how many', () => {
  const { drops, log, time } = setUp();
  const lines = (): unknown[] =>
    log.splice(0).map(({ client, reason, count }) => [client, reason, count]);
  for (let i = 0; i < 100; i++) drops.record('c', DropReason.QueueFull, topic);
  drops.record('d', DropReason.QueueFull, topic);
  drops.record('c', DropReason.Expired, topic);
  expect(lines()).toEqual([
    ['c', 'queue_full', 1],
    ['d', 'queue_full', 1],
    ['c', 'expired', 1],
  ]);
  time.advance(59_900);
  drops.record('c', DropReason.QueueFull, topic);
  expect(lines()).toEqual([]);
  time.advance(200);
  drops.record('c', DropReason.QueueFull, topic);
  drops.record('d', DropReason.QueueFull, topic);
  expect(lines()).toEqual([
    ['c', 'queue_full', 101],
    ['d', 'queue_full', 1],
  ]);
});

test('the sentence says how many, for whom, of what, and why', () => {
  const { drops, log, time } = setUp();
  drops.record('c', DropReason.OutboxFull, topic);
  drops.record('c', DropReason.OutboxFull, topic);
  time.advance(60_000);
  drops.record('c', DropReason.OutboxFull, topic);
  expect(log.map(({ level, sentence }) => [level, sentence.split(':')[0]])).toEqual([
    ['warn', 'A message for client c dropped, the last one on a/b'],
    ['warn', '2 messages for client c dropped, the last one on a/b'],
  ]);
});

test('QoS 0 for who is away is counted without a line', () => {
  const { drops, log, statistics } = setUp();
  drops.record('c', DropReason.Offline, topic);
  expect(log).toEqual([]);
  expect(statistics.dropped.offline).toBe(1);
});
