import { expect, test } from 'vitest';
import { ReasonCode } from '../../src/wire/reason-code.js';
import { BrokerWorld } from './broker-world.js';

/** A broker whose answer to CONNECT waits until it is told. */
async function slowDoor() {
  const world = await BrokerWorld.start();
  let letIn = (): void => {};
  const asked: { isGone(): boolean; stopped: boolean }[] = [];
  world.broker.hooks.authenticate.add((_, { isGone, whenGone }) => {
    const one = { isGone, stopped: false };
    asked.push(one);
    whenGone(() => {
      one.stopped = true;
    });
    return new Promise((resolve) => {
      letIn = () => resolve(ReasonCode.Success);
    });
  });
  return { world, asked, letIn: () => letIn() };
}

test('who goes while he waits to be let in is seen to go', async () => {
  const { world, asked, letIn } = await slowDoor();
  const client = world.connecting('a');
  expect(client.isPaused).toBe(false);
  expect(asked[0]!.isGone()).toBe(false);
  client.drop();
  expect(asked[0]).toMatchObject({ stopped: true });
  expect(asked[0]!.isGone()).toBe(true);
  letIn();
  await world.settle();
  expect(world.broker.sessions.get('a')).toBeUndefined();
});

test.each(['with CONNECT', 'behind it'])(
  'what is said %s is kept, and nothing more is read until he is let in',
  async (when) => {
    const { world, letIn } = await slowDoor();
    const watcher = world.connecting('watcher');
    letIn();
    await world.settle();
    watcher.take('connack');
    watcher.subscribe('t');
    const client = when === 'behind it' ? world.connecting('a') : world.open();
    const publish = client.publishPacket('t', 'early');
    const connect = { cmd: 'connect', clientId: 'a', protocolVersion: 5, clean: true };
    client.send(...(when === 'behind it' ? [publish] : [connect, publish]));
    expect(client.isPaused).toBe(true);
    expect(watcher.payloads()).toEqual([]);
    letIn();
    await world.settle();
    expect(client.isPaused).toBe(false);
    expect(watcher.payloads()).toEqual(['early']);
  },
);
