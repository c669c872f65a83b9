import { expect, test } from 'vitest';
import { networkOf } from '../../../src/extensions/authentication/guess-brake.js';
import {
  accepted,
  type LoginMethod,
  NOT_MINE,
  WRONG,
} from '../../../src/extensions/authentication/login-method.js';
import type { Guessing } from '../../../src/session/limits.js';
import { ReasonCode } from '../../../src/wire/reason-code.js';
import { LoginWorld } from './login-world.js';

/** Knows one user, whose password is `right`. */
function knows(name: string, user: string, isLate = false): LoginMethod {
  return {
    name,
    judge({ userName, password }) {
      const isRight = Buffer.from(password ?? []).toString() === 'right';
      const verdict = userName !== user ? NOT_MINE : isRight ? accepted(name, user) : WRONG;
      return isLate ? Promise.resolve(verdict) : verdict;
    },
  };
}

function newWorld(): LoginWorld {
  return new LoginWorld(() => [knows('file', 'a'), knows('late', 'b', true), knows('last', 'c')]);
}

/** Answers leave in steps of a quarter of a second; the clock of the test ticks more finely. */
function stepOf(tookMs: number): number {
  expect(tookMs % 250).toBeLessThan(20);
  return Math.floor(tookMs / 250);
}

const refusal = { reasonCode: ReasonCode.BadUserNameOrPassword };

test('the first method that knows the client decides, at once where it can', async () => {
  const world = newWorld();
  for (const [user, method] of [
    ['a', 'file'],
    ['b', 'late'],
    ['c', 'last'],
  ] as const) {
    const { answer, tookMs } = await world.answer({ user, password: 'right' });
    expect(answer).toMatchObject({ identity: { userName: user, method } });
    expect(tookMs).toBe(0);
  }
});

test('an unknown user and a wrong password get the same answer at the same time', async () => {
  const world = newWorld();
  const wrong = await world.answer({ user: 'a', password: 'x', host: '192.0.2.1' });
  const unknown = await world.answer({ user: 'z', password: 'x', host: '192.0.2.2' });
  expect(wrong).toEqual(unknown);
  expect(wrong.answer).toMatchObject(refusal);
});

test('a listener may ask some methods only, in its own order', async () => {
  const world = newWorld();
  const shown = { user: 'a', password: 'right' };
  expect((await world.answer({ ...shown, methods: ['late', 'last'] })).answer).toMatchObject(
    refusal,
  );
  expect((await world.answer({ ...shown, methods: ['last', 'file'] })).answer).toMatchObject({
    identity: { method: 'file' },
  });
});

test('anonymous clients come in only where that is said, and only with nothing to show', async () => {
  const world = newWorld();
  const { answer } = await world.answer({});
  expect(answer).toMatchObject({ reasonCode: ReasonCode.NotAuthorized });
  const allowed = { allowAnonymous: true };
  expect((await world.answer(allowed)).answer).toMatchObject({
    identity: { userName: undefined, method: 'anonymous' },
  });
  const claimed = await world.answer({ ...allowed, user: 'z', password: 'x' });
  expect(claimed.answer).toMatchObject(refusal);
  const named = await world.answer({ ...allowed, user: 'z' });
  expect(named.answer).toMatchObject(refusal);
});

test('where no method is asked, a name that nobody checked is not taken over', async () => {
  const world = newWorld();
  const shown = { user: 'admin', password: 'x', methods: [] };
  expect((await world.answer(shown)).answer).toMatchObject(refusal);
  expect((await world.answer({ ...shown, allowAnonymous: true })).answer).toMatchObject({
    identity: { userName: undefined, method: 'anonymous' },
  });
});

test('clients inside the process come in by themselves, unless they show a password', async () => {
  const world = newWorld();
  const peer = { address: 'local', host: 'local', listener: 'local' };
  expect((await world.answer({ peer, user: 'z' })).answer).toMatchObject({
    identity: { userName: 'z', method: 'local' },
  });
  expect((await world.answer({ peer, user: 'a', password: 'x' })).answer).toMatchObject(refusal);
});

test('guessing gets ever slower answers, up to five seconds', async () => {
  const world = newWorld();
  const took: number[] = [];
  for (let i = 0; i < 10; i++) {
    const { tookMs } = await world.answer({ user: 'a', password: `guess ${i}` });
    took.push(stepOf(tookMs));
  }
  expect(took).toEqual([1, 1, 1, 2, 3, 5, 9, 17, 21, 21]);
  expect(world.statistics).toMatchObject({ credentialsRefused: 10, answersDelayed: 7 });
});

test('a listener may answer guesses in its own time, and all attempts count', async () => {
  const world = newWorld();
  const own = async (guessing: Guessing): Promise<number> => {
    const { tookMs } = await world.answer({ user: 'a', password: 'guess', guessing });
    return stepOf(tookMs);
  };
  for (let i = 0; i < 8; i++) expect(await own({ delaySecondsMax: 0 })).toBe(1);
  expect(await own({ delaySecondsMax: 1 })).toBe(5);
  expect(await own({ freeAttempts: 9 })).toBe(2);
  expect(await own({})).toBe(21);
});

test('a right password behind the same address is not slowed down meanwhile', async () => {
  const world = newWorld();
  for (let i = 0; i < 10; i++) await world.answer({ user: 'x', password: 'guess' });
  expect((await world.answer({ user: 'a', password: 'right' })).tookMs).toBe(0);
});

test('one user is guessed slowly from many addresses too, and its owner comes in at once', async () => {
  const world = newWorld();
  let took = 0;
  for (let i = 0; i < 10; i++) {
    const shown = { user: 'a', password: `guess ${i}`, host: `198.51.100.${i}` };
    took = stepOf((await world.answer(shown)).tookMs);
  }
  expect(took).toBe(21);
  expect((await world.answer({ user: 'a', password: 'right' })).tookMs).toBe(0);
});

test('an address that was quiet for long enough is forgiven', async () => {
  const world = newWorld();
  for (let i = 0; i < 8; i++) await world.answer({ user: 'x', password: 'guess' });
  world.time.advance(9 * 30_000);
  const { tookMs } = await world.answer({ user: 'y', password: 'guess' });
  expect(stepOf(tookMs)).toBe(1);
});

test('the log tells of a burst once, and again after an hour, with the number', async () => {
  const world = newWorld();
  const repeated: unknown[] = [];
  for (let i = 0; i < 6; i++) {
    const { answer } = await world.answer({ user: 'a', password: 'old' });
    repeated.push('isRepeated' in answer && answer.isRepeated);
  }
  expect(repeated).toEqual([false, false, false, true, true, true]);
  for (let i = 0; i < 400; i++) {
    world.time.advance(10_000);
    await world.answer({ user: 'a', password: 'old' });
  }
  const lines = world.log.filter(({ event }) => event === 'credentials_refused');
  expect(lines.length).toBe(2);
  expect(lines[0]).toMatchObject({ address: '192.0.2.7', user: 'a', count: 4 });
  expect(lines[1]!['count']).toBeGreaterThan(200);
});

test('ten thousand waiting refusals are the most: the next are answered at once', async () => {
  const world = newWorld();
  const attempt = { host: '192.0.2.9', userName: undefined, listener: 'l', sinceMs: 0 };
  for (let i = 0; i < 10_000; i++) void world.brake.hold(attempt);
  const waiting = world.time.armed;
  expect(waiting).toBe(10_000);
  await world.brake.hold(attempt);
  expect(world.time.armed).toBe(waiting);
});

test('an IPv6 /64 counts as one address', () => {
  expect(networkOf('2001:db8:0:7:1:2:3:4')).toBe('2001:db8:0:7::/64');
  expect(networkOf('2001:db8::7:1:2:3:4')).toBe(networkOf('2001:db8:0:7:9::'));
  expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64');
  expect(networkOf('192.0.2.1')).toBe('192.0.2.1');
});
