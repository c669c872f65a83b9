import { beforeEach, expect, test } from 'vitest';
import type { ClientView } from '../../../src/broker/hooks.js';
import { HttpAuthorizer } from '../../../src/extensions/access-control/http-authorizer.js';
import { Statistics } from '../../../src/session/statistics.js';
import { type LogLine, recordingLogger } from '../../broker/recording-logger.js';
import { TestTime } from '../../broker/test-time.js';

const NOT_AUTHORIZED = 0x87;
const kitchen: ClientView = {
  clientIdentifier: 'oven',
  userName: 'kitchen',
  protocolVersion: 5,
  address: '192.0.2.7:1234',
  listener: 'mqtt://x:1883',
};
const options = {
  qos: 1,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
} as const;

let time: TestTime;
let log: LogLine[];
let asked: Record<string, unknown>[];
let answer: (question: Record<string, unknown>) => unknown;
let statistics: Statistics;
let authorizer: HttpAuthorizer;

beforeEach(() => {
  time = new TestTime();
  log = [];
  asked = [];
  answer = () => ({ allow: true });
  statistics = new Statistics();
  authorizer = new HttpAuthorizer({
    post: async (question) => {
      asked.push(question as Record<string, unknown>);
      return answer(question as Record<string, unknown>);
    },
    clock: time,
    log: recordingLogger(log),
    statistics,
    cacheSeconds: 60,
    refusedCacheSeconds: 5,
  });
});

const publish = (topicName: string, client = kitchen) =>
  authorizer.publish(client, { topicName, qos: 1, retain: false });

test('the server is told who wants what, and its yes is remembered for a minute', async () => {
  expect(await publish('a')).toBe(0);
  expect(JSON.parse(JSON.stringify(asked[0]))).toEqual({
    action: 'publish',
    topic: 'a',
    qos: 1,
    retain: false,
    client_id: 'oven',
    user_name: 'kitchen',
    groups: [],
    address: '192.0.2.7',
    listener: 'mqtt://x:1883',
  });
  // At once, without a promise, whatever port the client has now.
  expect(publish('a', { ...kitchen, address: '192.0.2.7:99' })).toBe(0);
  expect(await authorizer.subscribe(kitchen, { topicFilter: 'a', options })).toBe(0);
  expect(await publish('a', { ...kitchen, userName: 'cellar' })).toBe(0);
  expect(asked.length).toBe(3);
  time.advance(60_001);
  expect(await publish('a')).toBe(0);
  expect(asked.length).toBe(4);
});

test('a no is remembered for five seconds, counted and told', async () => {
  answer = () => ({ allow: false });
  expect(await publish('a')).toBe(NOT_AUTHORIZED);
  expect(publish('a')).toBe(NOT_AUTHORIZED);
  expect(asked.length).toBe(1);
  expect(statistics.accessDenied).toBe(2);
  expect(log).toMatchObject([
    { event: 'access_denied', client: 'oven', topic: 'a', rule: 'authorization.http' },
  ]);
  time.advance(5001);
  answer = () => ({ allow: true });
  expect(await publish('a')).toBe(0);
});

test.each([
  ['nobody there', () => Promise.reject(new Error('connect ECONNREFUSED'))],
  ['nothing', () => null],
  ['a word', () => ({ allow: 'yes' })],
  ['an empty object', () => ({})],
])('%s is a no that is not remembered, and told once a minute', async (_, given) => {
  answer = given;
  expect(await publish('a')).toBe(NOT_AUTHORIZED);
  expect(await publish('a')).toBe(NOT_AUTHORIZED);
  expect(asked.length).toBe(2);
  expect(log.filter(({ event }) => event === 'callout_failed').length).toBe(1);
  answer = () => ({ allow: true });
  expect(await publish('a')).toBe(0);
});

test('the questions of one client go one after the other, those of others meanwhile', async () => {
  const waiting: (() => void)[] = [];
  answer = () => new Promise((resolve) => waiting.push(() => resolve({ allow: true })));
  const own = ['a', 'b', 'a'].map((topic) => publish(topic));
  const other = publish('a', { ...kitchen, clientIdentifier: 'other' });
  await new Promise(setImmediate);
  expect(asked.map(({ client_id: id, topic }) => `${id} ${topic}`)).toEqual(['oven a', 'other a']);
  for (const go of waiting.splice(0)) go();
  await other;
  await own[0];
  await new Promise(setImmediate);
  for (const go of waiting.splice(0)) go();
  expect(await Promise.all(own)).toEqual([0, 0, 0]);
  // The third was answered by what the first had brought.
  expect(asked.length).toBe(3);
});

test('the program that the broker is part of asks nobody; who gives a name does', async () => {
  answer = () => ({ allow: false });
  const own = { ...kitchen, listener: 'local', userName: undefined };
  expect(publish('a', own)).toBe(0);
  expect(await publish('a', { ...own, userName: 'kitchen' })).toBe(NOT_AUTHORIZED);
});
