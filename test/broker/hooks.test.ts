import { describe, expect, test } from 'vitest';
import { type ClientView, Hooks, type PublishRequest } from '../../src/broker/hooks.js';
import { ReasonCode } from '../../src/wire/reason-code.js';
import { BrokerWorld } from './broker-world.js';
import { type LogLine, recordingLogger } from './recording-logger.js';

const client: ClientView = {
  clientIdentifier: 'c',
  userName: undefined,
  protocolVersion: 5,
  address: '192.0.2.1:1',
  listener: 'mqtt://192.0.2.2:1883',
};
const request: PublishRequest = { topicName: 't', qos: 0, retain: false };

/** Who was asked, in order. */
class Asked {
  readonly names: string[] = [];

  told(name: string, reasonCode: ReasonCode): ReasonCode {
    this.names.push(name);
    return reasonCode;
  }
}

function newHooks(log: LogLine[] = []): Hooks {
  return new Hooks(recordingLogger(log));
}

describe('deciding hooks', () => {
  test('the first refusal decides and the others are not asked', () => {
    const { authorizePublish } = newHooks();
    const asked = new Asked();
    authorizePublish.add(() => asked.told('first', ReasonCode.Success));
    authorizePublish.add(() => asked.told('second', ReasonCode.NotAuthorized));
    authorizePublish.add(() => asked.told('third', ReasonCode.Success));
    expect(authorizePublish.run(client, request)).toBe(ReasonCode.NotAuthorized);
    expect(asked.names).toEqual(['first', 'second']);
  });

  test('behind a promise the rest is asked when it settles, and may promise again', async () => {
    const { authorizePublish } = newHooks();
    const asked = new Asked();
    authorizePublish.add(async () => asked.told('first', ReasonCode.Success));
    authorizePublish.add(() => asked.told('second', ReasonCode.Success));
    authorizePublish.add(async () => asked.told('third', ReasonCode.QuotaExceeded));
    authorizePublish.add(() => asked.told('fourth', ReasonCode.Success));
    const decision = authorizePublish.run(client, request);
    expect(asked.names).toEqual(['first']);
    expect(await decision).toBe(ReasonCode.QuotaExceeded);
    expect(asked.names).toEqual(['first', 'second', 'third']);
  });

  test('a promised refusal spares the rest', async () => {
    const { authorizePublish } = newHooks();
    authorizePublish.add(async () => ReasonCode.NotAuthorized);
    authorizePublish.add(() => {
      throw new Error('it was asked');
    });
    expect(await authorizePublish.run(client, request)).toBe(ReasonCode.NotAuthorized);
  });

  test('what is thrown is a rejection', async () => {
    const { authorizePublish } = newHooks();
    authorizePublish.add(() => {
      throw new Error('no database');
    });
    await expect(authorizePublish.run(client, request)).rejects.toThrow('no database');
  });

  test('a hook removed while a promise is waited for changes nothing of that decision', async () => {
    const { authorizePublish } = newHooks();
    const removeFirst = authorizePublish.add(async () => ReasonCode.Success);
    authorizePublish.add(() => ReasonCode.NotAuthorized);
    const decision = authorizePublish.run(client, request);
    removeFirst();
    expect(await decision).toBe(ReasonCode.NotAuthorized);
  });
});

describe('changing hooks', () => {
  test('each gets what the one before returned', () => {
    const { changeSubscribe } = newHooks();
    const options = {
      qos: 1,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
    } as const;
    changeSubscribe.add((_, value) => ({ ...value, topicFilter: `a/${value.topicFilter}` }));
    changeSubscribe.add((_, value) => ({ ...value, topicFilter: `b/${value.topicFilter}` }));
    const changed = changeSubscribe.run(client, { topicFilter: 't', options });
    expect(changed).toEqual({ topicFilter: 'b/a/t', options });
  });

  test('a reason code ends it, and so does an exception, which is logged', () => {
    const log: LogLine[] = [];
    const { changePublish } = newHooks(log);
    const message = { ...request, payload: new Uint8Array(0) };
    const remove = changePublish.add(() => ReasonCode.PayloadFormatInvalid);
    changePublish.add(() => {
      throw new Error('broken');
    });
    expect(changePublish.run(client, message)).toBe(ReasonCode.PayloadFormatInvalid);
    expect(log).toEqual([]);
    remove();
    expect(changePublish.run(client, message)).toBe(ReasonCode.UnspecifiedError);
    expect(log).toMatchObject([{ level: 'error', event: 'hook_failed', reason: 'Error: broken' }]);
  });
});

describe('watching hooks', () => {
  test('all are told in order, though one throws', () => {
    const log: LogLine[] = [];
    const { sessionEnded } = newHooks(log);
    const told: string[] = [];
    sessionEnded.add(({ clientIdentifier }) => told.push(`1 ${clientIdentifier}`));
    sessionEnded.add(() => {
      throw new Error('broken');
    });
    sessionEnded.add(({ clientIdentifier }) => told.push(`3 ${clientIdentifier}`));
    sessionEnded.run({ clientIdentifier: 'c' });
    expect(told).toEqual(['1 c', '3 c']);
    expect(log).toMatchObject([{ level: 'error', event: 'hook_failed', reason: 'Error: broken' }]);
  });

  test('one that removes itself does not hide the next from the event', () => {
    const { sessionEnded } = newHooks();
    const told: string[] = [];
    const remove = sessionEnded.add(() => {
      told.push('once');
      remove();
    });
    sessionEnded.add(() => told.push('always'));
    sessionEnded.run({ clientIdentifier: 'c' });
    sessionEnded.run({ clientIdentifier: 'c' });
    expect(told).toEqual(['once', 'always', 'always']);
  });

  test('empty tells whether there is any, and removing twice removes one', () => {
    const { connected } = newHooks();
    expect(connected.empty).toBe(true);
    const hook = (): void => {};
    const remove = connected.add(hook);
    connected.add(hook);
    remove();
    expect(connected.empty).toBe(false);
    remove();
    expect(connected.empty).toBe(true);
    remove();
    expect(connected.empty).toBe(true);
  });
});

describe('in a broker', () => {
  test('each point is reached, in the order of what happens', async () => {
    const world = await BrokerWorld.start();
    const { hooks } = world.broker;
    const events: string[] = [];
    hooks.authenticate.add(({ clientIdentifier }, { password }) => {
      events.push(`authenticate ${clientIdentifier} ${Buffer.from(password ?? []).toString()}`);
      return clientIdentifier === 'bad' ? ReasonCode.BadUserNameOrPassword : ReasonCode.Success;
    });
    hooks.refused.add(({ reasonCode }) => events.push(`refused ${reasonCode}`));
    hooks.connected.add(({ clientIdentifier }) => events.push(`connected ${clientIdentifier}`));
    hooks.authorizeSubscribe.add((_, { topicFilter }) => {
      events.push(`may subscribe ${topicFilter}`);
      return ReasonCode.Success;
    });
    hooks.subscribed.add(({ topicFilter }) => events.push(`subscribed ${topicFilter}`));
    hooks.authorizePublish.add((_, { topicName }) => {
      events.push(`may publish ${topicName}`);
      return ReasonCode.Success;
    });
    hooks.changePublish.add((_, message) => ({ ...message, topicName: `x/${message.topicName}` }));
    hooks.published.add(({ topicName }) => events.push(`published ${topicName}`));
    hooks.unsubscribed.add(({ topicFilter }) => events.push(`unsubscribed ${topicFilter}`));
    hooks.disconnected.add(({ cause }) => events.push(`disconnected ${cause.kind}`));
    hooks.sessionEnded.add(({ clientIdentifier }) => events.push(`ended ${clientIdentifier}`));
    world.connecting('bad', { username: 'u', password: Buffer.from('p') });
    const good = world.connect('good', { username: 'u', password: Buffer.from('q') });
    good.subscribe('x/t');
    good.publish('t', 'a');
    expect(good.payloads()).toEqual(['a']);
    good.unsubscribe('x/t');
    good.disconnect();
    expect(events).toEqual([
      'authenticate bad p',
      'refused 134',
      'authenticate good q',
      'connected good',
      'may subscribe x/t',
      'subscribed x/t',
      'may publish t',
      'published x/t',
      'unsubscribed x/t',
      'ended good',
      'disconnected client-disconnect',
    ]);
  });

  test('a publish hook that throws ends that client alone', async () => {
    const world = await BrokerWorld.start();
    world.broker.hooks.authorizePublish.add(({ clientIdentifier }) => {
      if (clientIdentifier === 'a') throw new Error('no database');
      return ReasonCode.Success;
    });
    const a = world.connect('a');
    const b = world.connect('b');
    a.publish('t', 'x', { qos: 1 });
    await world.settle();
    expect(a.brief()).toEqual(['disconnect 0x80']);
    expect(a.isClosed).toBe(true);
    b.publish('t', 'x', { qos: 1 });
    expect(b.take('puback')).toMatchObject({ reasonCode: ReasonCode.NoMatchingSubscribers });
    expect(world.log).toMatchObject([{}, {}, { event: 'hook_failed', client: 'a' }, {}]);
  });

  test('a change that refuses or throws is a refusal in the answer', async () => {
    const world = await BrokerWorld.start();
    const { hooks } = world.broker;
    hooks.changePublish.add((_, message) => {
      if (message.topicName === 'broken') throw new Error('broken');
      return ReasonCode.PayloadFormatInvalid;
    });
    hooks.changeSubscribe.add(() => ReasonCode.NotAuthorized);
    const a = world.connect('a');
    a.publish('broken', '', { qos: 1 });
    a.publish('t', '', { qos: 2 });
    expect(a.brief()).toEqual(['puback 256 0x80', 'pubrec 257 0x99']);
    expect(a.subscribe('t')['granted']).toEqual([ReasonCode.NotAuthorized]);
  });
});
