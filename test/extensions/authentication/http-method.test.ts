import { beforeEach, expect, test } from 'vitest';
import { HttpMethod } from '../../../src/extensions/authentication/http-method.js';
import type { Verdict } from '../../../src/extensions/authentication/login-method.js';
import { WorkQueue } from '../../../src/extensions/authentication/work-queue.js';
import { type LogLine, recordingLogger } from '../../broker/recording-logger.js';
import { TestTime } from '../../broker/test-time.js';
import { loginRequest, type Shown } from './login-requests.js';

let time: TestTime;
let log: LogLine[];
let asked: Record<string, unknown>[];
let answer: unknown;
let method: HttpMethod;

function newMethod(queue = new WorkQueue(10, 10), cacheSeconds = 60, refusedCacheSeconds = 5) {
  return new HttpMethod({
    post: (question) => {
      asked.push(question as Record<string, unknown>);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    queue,
    clock: time,
    log: recordingLogger(log),
    cacheSeconds,
    refusedCacheSeconds,
  });
}

beforeEach(() => {
  time = new TestTime();
  log = [];
  asked = [];
  answer = { allow: true };
  method = newMethod();
});

async function judge(shown: Shown): Promise<Verdict> {
  return method.judge(loginRequest(shown));
}

const kitchen = { user: 'kitchen', password: 'secret' };

test('the server is told what the client shows, and nothing that it did not', async () => {
  const certificate = {
    commonName: 'pump',
    subjectAltNames: ['a'],
    fingerprint256: 'ff',
    subject: 'CN=pump',
    userName: undefined,
  };
  await judge({ ...kitchen, client: 'oven', peer: { certificate, pskIdentity: 'p' } });
  await judge({ user: 'x', password: Uint8Array.of(0xff) });
  expect(asked.map((question) => JSON.parse(JSON.stringify(question)))).toEqual([
    {
      client_id: 'oven',
      user_name: 'kitchen',
      password: 'secret',
      protocol_version: '5.0',
      address: '192.0.2.7',
      listener: 'mqtt://192.0.2.2:1883',
      certificate: {
        common_name: 'pump',
        subject_alt_names: ['a'],
        fingerprint256: 'ff',
        subject: 'CN=pump',
      },
      psk_identity: 'p',
    },
    {
      client_id: 'c',
      user_name: 'x',
      password_base64: '/w==',
      protocol_version: '5.0',
      address: '192.0.2.7',
      listener: 'mqtt://192.0.2.2:1883',
    },
  ]);
});

test('a yes with all that may come along', async () => {
  answer = {
    allow: true,
    user_name: 'alice',
    groups: ['home'],
    expires: time.wallMs() / 1000 + 60,
    permissions: [{ permission: 'allow', action: 'publish', topic: 'a' }],
    claims: { tenant: 7 },
  };
  expect(await judge(kitchen)).toEqual({
    kind: 'accepted',
    identity: {
      userName: 'alice',
      groups: ['home'],
      claims: { tenant: 7 },
      expiresAtMs: time.wallMs() + 60_000,
      permissions: [{ effect: 'allow', action: 'publish', topicFilter: 'a' }],
      method: 'http',
    },
  });
});

test('a bare yes keeps the name that was shown; no, ignore, and a yes that has expired', async () => {
  expect(await judge(kitchen)).toMatchObject({ identity: { userName: 'kitchen', groups: [] } });
  answer = { allow: false };
  expect(await judge({ ...kitchen, client: '2' })).toMatchObject({
    kind: 'refused',
    reasonCode: 0x86,
    isGuess: true,
  });
  answer = { allow: 'ignore' };
  expect(await judge({ ...kitchen, client: '3' })).toEqual({ kind: 'not-mine' });
  answer = { allow: true, expires: time.wallMs() / 1000 - 1 };
  expect(await judge({ ...kitchen, client: '4' })).toMatchObject({ kind: 'refused' });
});

test('a client that shows nothing is not asked about', async () => {
  expect(await judge({})).toEqual({ kind: 'not-mine' });
  expect(asked).toEqual([]);
});

test.each([
  [new Error('no answer within 5 s'), 'no answer within 5 s'],
  [null, 'no object came'],
  ['yes', 'no object came'],
  [{}, '"allow" is not'],
  [{ allow: 'true' }, '"allow" is not'],
  [{ allow: 1 }, '"allow" is not'],
  [{ allow: true, user_name: 7 }, '"user_name" is no text'],
  [{ allow: true, groups: 'home' }, '"groups" is no list'],
  [{ allow: true, groups: [7] }, '"groups" is no list'],
  [{ allow: true, expires: 'soon' }, '"expires" is no number'],
  [{ allow: true, claims: 7 }, '"claims" is no object'],
  [{ allow: true, permissions: 'all' }, 'cannot be understood'],
  [{ allow: true, permissions: null }, 'cannot be understood'],
])('%j as the answer keeps the client out, and counts as no guess', async (wrong, reason) => {
  answer = wrong;
  expect(await judge(kitchen)).toMatchObject({
    kind: 'refused',
    reasonCode: 0x88,
    isGuess: false,
  });
  expect(log).toMatchObject([{ event: 'callout_failed', reason: expect.stringContaining(reason) }]);
  answer = { allow: true };
  expect(await judge(kitchen)).toMatchObject({ kind: 'accepted' });
});

test('failures are logged once a minute', async () => {
  answer = new Error('down');
  for (let i = 0; i < 100; i++) await judge(kitchen);
  time.advance(60_000);
  await judge(kitchen);
  expect(log.length).toBe(2);
});

test('a yes is remembered for a minute, a no for five seconds, each for what was shown', async () => {
  await judge(kitchen);
  await judge(kitchen);
  expect(asked.length).toBe(1);
  await judge({ ...kitchen, password: 'other' });
  await judge({ ...kitchen, host: '192.0.2.8' });
  expect(asked.length).toBe(3);
  time.advance(60_001);
  answer = { allow: false };
  await judge(kitchen);
  await judge(kitchen);
  expect(asked.length).toBe(4);
  time.advance(5001);
  answer = { allow: true };
  expect(await judge(kitchen)).toMatchObject({ kind: 'accepted' });
});

test('what is remembered does not outlive what it says', async () => {
  answer = { allow: true, expires: time.wallMs() / 1000 + 10 };
  await judge(kitchen);
  time.advance(11_000);
  answer = { allow: false };
  expect(await judge(kitchen)).toMatchObject({ kind: 'refused' });
});

test('with no room to wait the client is told to come again', async () => {
  method = newMethod(new WorkQueue(1, 0));
  const [first, second] = await Promise.all([judge(kitchen), judge({ ...kitchen, user: 'b' })]);
  expect(first).toMatchObject({ kind: 'accepted' });
  expect(second).toMatchObject({ kind: 'refused', reasonCode: 0x89 });
});

test('the question about a client that goes is given up, and nobody is blamed for it', async () => {
  let isGone = false;
  let leave = (): void => {};
  const queue = new WorkQueue(1, 10);
  const gives = new HttpMethod({
    post: (_, whenGone) =>
      new Promise((_resolve, reject) => whenGone(() => reject(new Error('given up')))),
    queue,
    clock: time,
    log: recordingLogger(log),
    cacheSeconds: 60,
    refusedCacheSeconds: 5,
  });
  const whenGone = (stop: () => void): void => {
    leave = stop;
  };
  const verdict = gives.judge(loginRequest({ ...kitchen, isGone: () => isGone, whenGone }));
  expect(queue.running).toBe(1);
  isGone = true;
  leave();
  await verdict;
  expect(queue.running).toBe(0);
  expect(log).toEqual([]);
});
