import { expect, test } from 'vitest';
import type { Session } from '../../src/session/session.js';
import { type Subscription, sharedOptions } from '../../src/session/subscription.js';
import {
  NO_SUBSCRIPTIONS,
  type Subscriptions,
  withoutSubscription,
  withSubscription,
} from '../../src/session/subscriptions.js';
import type { QoS } from '../../src/wire/control-packet.js';

test('one, then several, then none, each found by its filter', () => {
  const [a, b] = [subscription('a', 0), subscription('b', 1)];
  const one = withSubscription(NO_SUBSCRIPTIONS, a);
  expectTold(one, [a]);
  const two = withSubscription(one, b);
  expectTold(two, [a, b]);
  const again = withoutSubscription(two, 'a');
  expectTold(again, [b]);
  expect(withoutSubscription(again, 'b')).toBe(NO_SUBSCRIPTIONS);
  expect(withoutSubscription(one, 'a')).toBe(NO_SUBSCRIPTIONS);
  expectTold(NO_SUBSCRIPTIONS, []);
});

test('another one with the same filter takes the place of the first, alone and among several', () => {
  const [old, young] = [subscription('a', 0), subscription('a', 2)];
  const alone = withSubscription(withSubscription(NO_SUBSCRIPTIONS, old), young);
  expectTold(alone, [young]);
  const other = subscription('b', 0);
  const several = withSubscription(withSubscription(alone, other), old);
  expectTold(several, [old, other]);
});

test('equal options are one object, other ones are another', () => {
  const plain = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  const one = sharedOptions({ qos: 1, ...plain });
  expect(sharedOptions({ qos: 1, ...plain })).toBe(one);
  for (const options of [
    { ...plain, qos: 2 },
    { ...plain, qos: 1, noLocal: true },
    { ...plain, qos: 1, retainAsPublished: true },
    { ...plain, qos: 1, retainHandling: 2 },
  ] as const) {
    expect(sharedOptions(options)).toEqual(options);
  }
});

function expectTold(all: Subscriptions, expected: readonly Subscription[]): void {
  expect(all.size).toBe(expected.length);
  expect([...all.values()]).toEqual(expected);
  expect([...all.keys()]).toEqual(expected.map(({ topicFilter }) => topicFilter));
  for (const one of expected) {
    expect(all.has(one.topicFilter)).toBe(true);
    expect(all.get(one.topicFilter)).toBe(one);
  }
  expect(all.has('elsewhere')).toBe(false);
  expect(all.get('elsewhere')).toBeUndefined();
}

function subscription(topicFilter: string, qos: QoS): Subscription {
  const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  return { session: {} as Session, topicFilter, options, identifier: 0, isFiltered: false };
}
