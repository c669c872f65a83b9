import { afterAll, beforeAll, expect, test } from 'vitest';
import { AttackedBroker } from './attacked-broker.js';
import { letIn, publishBytes, settle, subscribe } from './stranger.js';

const LEVELS = 200;
const REFUSED = 0x80;

let broker: AttackedBroker;
beforeAll(async () => {
  const rule = 'allow all # client=bomber*o*o*o*o*o*o*o*o*x';
  const authorization = { rules: [rule, 'deny publish a/+/+/+/+/z', 'allow all #'] };
  broker = await AttackedBroker.start([], { authorization });
});
afterAll(() => broker.stop());

/** Every way to write so many levels with `a` and `+`: each level of `a/a/a…` reaches all of them. */
function* multiplyingFilters(count: number): Generator<string> {
  const rest = Array.from({ length: LEVELS - 16 }, () => '+');
  for (let i = 0; i < count; i++) {
    const first = i.toString(2).padStart(15, '0').replaceAll('0', 'a').replaceAll('1', '+');
    yield [...first, ...rest, 'z'].join('/');
  }
}

test('wildcard bombs: 20,000 filters of 200 levels that all go on matching', async () => {
  const attack = async (): Promise<void> => {
    const bomber = await letIn(broker.port(0), { clientId: 'bomber' });
    const codes = await subscribe(bomber, [...multiplyingFilters(20_000)]);
    expect(codes.filter((code) => code === REFUSED).length).toBeGreaterThan(19_000);
    const name = 'a/'.repeat(LEVELS - 1);
    for (let i = 0; i < 50; i++) await bomber.say(publishBytes(`${name}${i}`, 'x'));
    await settle(bomber);
    bomber.leave();
  };
  const fields = { client: 'bomber', code: 0x97 };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'subscription_refused', fields });
});

test('wildcard bombs of 60 clients: 100 filters of 200 levels each', async () => {
  const filters = [...multiplyingFilters(6000)];
  let granted = 0;
  const attack = async (): Promise<void> => {
    const bombers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => letIn(broker.port(0), { clientId: `one-of-many-${i}` })),
    );
    granted = 0;
    for (const [i, bomber] of bombers.entries()) {
      const codes = await subscribe(bomber, filters.slice(i * 100, (i + 1) * 100));
      granted += codes.filter((code) => code !== REFUSED).length;
    }
    const name = 'a/'.repeat(LEVELS - 1);
    const publisher = await letIn(broker.port(0));
    for (let i = 0; i < 50; i++) await publisher.say(publishBytes(`${name}many${i}`, 'x'));
    await settle(publisher);
    for (const stranger of [...bombers, publisher]) stranger.leave();
    await Promise.all(bombers.map(({ closed }) => closed));
  };
  const fields = { client: /^one-of-many-/, code: 0x97 };
  await broker.withstands(attack, { growthMiBMax: 256, event: 'subscription_refused', fields });
  // As many as `deep_wildcard_levels_max` has room for.
  expect(granted).toBeLessThanOrEqual(Math.ceil(250_000 / (LEVELS - 8)));
});

test('a subscription flood: 60,000 filters of one client', async () => {
  const attack = async (): Promise<void> => {
    const flooder = await letIn(broker.port(0), { clientId: 'subscribes-to-all' });
    const filters = Array.from({ length: 60_000 }, (_, i) => `flood/${i}/+/state`);
    const codes = await subscribe(flooder, filters);
    expect(codes.filter((code) => code !== REFUSED).length).toBe(20_000);
    flooder.leave();
  };
  const fields = { client: 'subscribes-to-all', code: 0x97 };
  await broker.withstands(attack, { growthMiBMax: 256, event: 'subscription_refused', fields });
});

test('a filter of 65,535 levels', async () => {
  const attack = async (): Promise<void> => {
    const stranger = await letIn(broker.port(0), { clientId: 'deep-subscriber' });
    expect(await subscribe(stranger, [`${'+/'.repeat(32_767)}#`])).toEqual([REFUSED]);
    stranger.leave();
  };
  const fields = { client: 'deep-subscriber', code: 0x8f };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'subscription_refused', fields });
});

test('names that patterns of rules would have to try in many ways', async () => {
  const attack = async (): Promise<void> => {
    const clientId = `bomber${'o'.repeat(60_000)}`;
    const stranger = await letIn(broker.port(0), { clientId });
    for (let i = 0; i < 500; i++) {
      await stranger.say(publishBytes(`a/${'b/'.repeat(190)}${i}`, 'x'));
      await stranger.say(publishBytes('a/b/c/d/e/z', 'x'));
    }
    await settle(stranger);
    stranger.leave();
  };
  const fields = { topic: 'a/b/c/d/e/z' };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'access_denied', fields });
});
