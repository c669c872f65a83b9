import { beforeEach, expect, test } from 'vitest';
import type { Verdict } from '../../../src/extensions/authentication/login-method.js';
import { newUser, type User } from '../../../src/extensions/authentication/password-file.js';
import type { PasswordHash } from '../../../src/extensions/authentication/password-hash.js';
import { PasswordMethod } from '../../../src/extensions/authentication/password-method.js';
import { UserDirectory } from '../../../src/extensions/authentication/user-directory.js';
import { WorkQueue } from '../../../src/extensions/authentication/work-queue.js';
import { TestTime } from '../../broker/test-time.js';
import { loginRequest, type Shown } from './login-requests.js';

const KEY = Buffer.alloc(32, 1).toString('base64');

/** The salt is the password: what fits is said by the stand-in for the hash function. */
function user(name: string, password: string, groups: readonly string[] = []): User {
  const salt = Buffer.from(password).toString('base64');
  const made = newUser(name, `$scrypt$ln=14,r=8,p=1$${salt}$${KEY}`, groups);
  if (typeof made === 'string') throw new Error(made);
  return made;
}

let time: TestTime;
let users: UserDirectory;
let method: PasswordMethod;
let hashed: string[];
let ends: (() => void)[];

function newMethod(waitingMax = 100, cacheSeconds = 300): PasswordMethod {
  return new PasswordMethod({
    users,
    queue: new WorkQueue(2, waitingMax),
    verify: (hash: PasswordHash, password) => {
      hashed.push(Buffer.from(password).toString());
      const fits = Buffer.from(hash.salt).equals(password);
      return new Promise((resolve) => ends.push(() => resolve(fits)));
    },
    clock: time,
    cacheSeconds,
  });
}

beforeEach(() => {
  time = new TestTime();
  users = new UserDirectory();
  users.replace([user('kitchen', 'right', ['home']), user('cellar', 'other')]);
  hashed = [];
  ends = [];
  method = newMethod();
});

async function endHashes(): Promise<void> {
  do {
    for (const end of ends.splice(0)) end();
    await new Promise(setImmediate);
  } while (ends.length > 0);
}

async function judge(shown: Shown): Promise<Verdict> {
  const verdict = method.judge(loginRequest(shown));
  await endHashes();
  return verdict;
}

test('a right password is accepted with the groups of the user', async () => {
  expect(await judge({ user: 'kitchen', password: 'right' })).toMatchObject({
    kind: 'accepted',
    identity: { userName: 'kitchen', groups: ['home'], method: 'password_file' },
  });
});

test('an unknown user costs the same work as a wrong password', async () => {
  for (const name of ['kitchen', 'nobody', 'nobody else']) {
    hashed = [];
    await judge({ user: name, password: 'guess' });
    expect(hashed, name).toEqual(['guess']);
    hashed = [];
    await judge({ user: name, password: 'guess' });
    expect(hashed, `${name} again`).toEqual([]);
  }
  expect(await judge({ user: 'kitchen', password: 'guess' })).toMatchObject({ kind: 'refused' });
  expect(await judge({ user: 'nobody', password: 'guess' })).toEqual({ kind: 'not-mine' });
});

test('an unknown user is not let in by the password of whoever stands in', async () => {
  const names = Array.from({ length: 20 }, (_, i) => `nobody ${i}`);
  for (const name of names) {
    expect(await judge({ user: name, password: 'right' })).toEqual({ kind: 'not-mine' });
    expect(await judge({ user: name, password: 'other' })).toEqual({ kind: 'not-mine' });
  }
});

test('who shows no user name or no password is for another method', async () => {
  expect(await judge({ user: 'kitchen' })).toEqual({ kind: 'not-mine' });
  expect(await judge({ password: 'right' })).toEqual({ kind: 'not-mine' });
  expect(hashed).toEqual([]);
});

test('names and passwords longer than anybody may have are not hashed', async () => {
  expect(await judge({ user: 'k'.repeat(1025), password: 'x' })).toEqual({ kind: 'not-mine' });
  expect(await judge({ user: 'kitchen', password: 'x'.repeat(4097) })).toEqual({
    kind: 'not-mine',
  });
  expect(hashed).toEqual([]);
});

test('a thousand clients with one password that come at once cost one hash', async () => {
  const verdicts = Array.from({ length: 1000 }, () =>
    method.judge(loginRequest({ user: 'kitchen', password: 'right' })),
  );
  await endHashes();
  const kinds = new Set((await Promise.all(verdicts)).map(({ kind }) => kind));
  expect([...kinds]).toEqual(['accepted']);
  expect(hashed).toEqual(['right']);
});

test('a storm of different ones is bounded: what finds no room is told to come again', async () => {
  method = newMethod(4);
  const verdicts = Array.from({ length: 10 }, (_, i) =>
    method.judge(loginRequest({ user: `u${i}`, password: 'x', host: `192.0.2.${i}` })),
  );
  expect(hashed.length).toBe(2);
  await endHashes();
  const busy = (await Promise.all(verdicts)).filter(({ kind }) => kind === 'refused');
  expect(busy).toMatchObject(Array(4).fill({ reasonCode: 0x89, isGuess: false }));
  expect(hashed.length).toBe(6);
});

test('what waits for clients that have gone is not computed', async () => {
  let isGone = false;
  const first = ['a', 'b'].map((name) => method.judge(loginRequest({ user: name, password: '' })));
  const gone = method.judge(
    loginRequest({ user: 'kitchen', password: 'right', isGone: () => isGone }),
  );
  isGone = true;
  await endHashes();
  await Promise.all([...first, gone]);
  expect(hashed).toEqual(['', '']);
});

test('what was right is remembered for a while, what was wrong for a minute', async () => {
  await judge({ user: 'kitchen', password: 'right' });
  await judge({ user: 'kitchen', password: 'wrong' });
  time.advance(59_000);
  await judge({ user: 'kitchen', password: 'wrong' });
  time.advance(200_000);
  expect(await judge({ user: 'kitchen', password: 'right' })).toMatchObject({ kind: 'accepted' });
  expect(hashed).toEqual(['right', 'wrong']);
  await judge({ user: 'kitchen', password: 'wrong' });
  time.advance(50_000);
  await judge({ user: 'kitchen', password: 'right' });
  expect(hashed).toEqual(['right', 'wrong', 'wrong', 'right']);
});

test('with no memory at all each attempt is hashed', async () => {
  method = newMethod(100, 0);
  await judge({ user: 'kitchen', password: 'right' });
  await judge({ user: 'kitchen', password: 'right' });
  expect(hashed).toEqual(['right', 'right']);
});

test('a change of the users holds at once, also for a hash that is under way', async () => {
  await judge({ user: 'kitchen', password: 'right' });
  const underWay = method.judge(loginRequest({ user: 'cellar', password: 'other' }));
  const changed = users.replace([user('kitchen', 'new'), user('cellar', 'newer')]);
  method.forget();
  expect([...changed]).toEqual(['kitchen', 'cellar']);
  await endHashes();
  expect(await underWay).toMatchObject({ kind: 'refused' });
  expect(await judge({ user: 'kitchen', password: 'right' })).toMatchObject({ kind: 'refused' });
  expect(await judge({ user: 'cellar', password: 'other' })).toMatchObject({ kind: 'refused' });
  expect(await judge({ user: 'kitchen', password: 'new' })).toMatchObject({ kind: 'accepted' });
});

test('a reload that changes nothing lets a hash that is under way count', async () => {
  const underWay = method.judge(loginRequest({ user: 'cellar', password: 'other' }));
  users.replace([user('kitchen', 'right', ['home']), user('cellar', 'other')]);
  await endHashes();
  expect(await underWay).toMatchObject({ kind: 'accepted' });
});

test('names and passwords that run together are not mistaken for others', async () => {
  users.replace([user('a', 'bc'), user('ab', 'x')]);
  method.forget();
  expect(await judge({ user: 'a', password: 'bc' })).toMatchObject({ kind: 'accepted' });
  expect(await judge({ user: 'ab', password: 'c' })).toMatchObject({ kind: 'refused' });
});

test('who changed is told: removed, new, another password or groups; the rest is not', () => {
  const [kept, moved] = [user('kept', 'x', ['a']), user('moved', 'x', ['a'])];
  users.replace([kept, moved, user('gone', 'x')]);
  const now = [user('kept', 'x', ['a']), user('moved', 'x', ['b']), user('new', 'x')];
  expect([...users.replace(now)].sort()).toEqual(['gone', 'moved', 'new']);
  expect(users.replace([...now]).size).toBe(0);
});
