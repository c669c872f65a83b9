import { expect, test } from 'vitest';
import { InTurns } from '../../src/broker/in-turns.js';
import { RuleControl } from '../../src/extensions/access-control/access-control.js';
import { accessRules } from '../../src/extensions/access-control/access-rules.js';
import { optionsOf } from '../extensions/access-control/rule-lines.js';
import { BrokerWorld } from './broker-world.js';
import { recordingLogger } from './recording-logger.js';
import { TestTime } from './test-time.js';

function changeRules(world: BrokerWorld, lines: readonly string[]): void {
  const control = new RuleControl({
    rules: accessRules(optionsOf(lines)),
    log: recordingLogger(world.log),
    clock: world.time,
    statistics: world.broker.statistics,
  });
  world.broker.access.change(control);
}

test('few are done at once, many some in every tick, each once and in order', () => {
  const time = new TestTime();
  const done: number[] = [];
  const work = new InTurns<number>(time, (each) => {
    done.push(each);
    return 100;
  });
  work.start([1, 2, 3]);
  expect(done).toEqual([1, 2, 3]);
  const many = Array.from({ length: 25 }, (_, i) => 10 + i);
  work.start(many);
  expect(done.length).toBe(3 + 10);
  time.run();
  expect(done.slice(3)).toEqual(many);
});

test('what is begun anew forgets the rest', () => {
  const time = new TestTime();
  const done: string[] = [];
  const work = new InTurns<string>(time, (each) => {
    done.push(each);
    return 1000;
  });
  work.start(['a', 'b', 'c']);
  work.start(['d', 'e']);
  time.run();
  expect(done).toEqual(['a', 'd', 'e']);
});

test('rules that change are taken to thousands of clients some at a time', async () => {
  const world = await BrokerWorld.start();
  const { broker } = world;
  changeRules(world, ['allow all #']);
  const clients = Array.from({ length: 600 }, (_, i) => {
    const client = world.connect(`c${i}`, i % 2 === 0 ? { clean: false } : {});
    client.subscribe(`secret/${i}`);
    return client;
  });
  for (const client of clients.filter((_, i) => i % 4 === 0)) client.drop();
  const filters = (): number =>
    [...broker.sessions.all()].reduce((sum, session) => sum + session.subscriptions.size, 0);
  const before = filters();
  changeRules(world, ['deny all secret/#', 'allow all #']);
  const inOneTick = before - filters();
  expect(inOneTick).toBeGreaterThan(0);
  expect(inOneTick).toBeLessThan(200);
  world.run();
  expect(filters()).toBe(0);
});

test('and to a session whose client goes before its turn', async () => {
  const world = await BrokerWorld.start();
  const { broker } = world;
  changeRules(world, ['allow all #']);
  for (let i = 0; i < 600; i++) world.connect(`c${i}`).subscribe(`secret/${i}`);
  const last = world.connect('last', {
    clean: false,
    properties: { sessionExpiryInterval: 3600 },
  });
  last.subscribe('secret/last');
  const session = broker.sessions.get('last')!;
  changeRules(world, ['deny all secret/#', 'allow all #']);
  session.connection!.networkClosed('the link is gone');
  expect(session.subscriptions.size).toBe(1);
  world.run();
  expect(broker.sessions.get('last')).toBe(session);
  expect(session.subscriptions.size).toBe(0);
});
