import { expect, test } from 'vitest';
import type { Config } from '../../src/server/config.js';
import { DetailLog } from '../../src/server/detail-log.js';
import { BrokerWorld } from '../broker/broker-world.js';
import { type LogLine, recordingLogger } from '../broker/recording-logger.js';

test('at debug the log tells what clients ask for, and nothing otherwise', async () => {
  const world = await BrokerWorld.start();
  const lines: LogLine[] = [];
  const quiet = recordingLogger([]);
  const log = { ...quiet, debug: recordingLogger(lines).info };
  const at = (logLevel: string): Config => ({ logLevel }) as unknown as Config;
  const details = new DetailLog(world.broker, log, at('info'));
  world.connect('early').disconnect();
  expect(lines).toEqual([]);
  expect(world.broker.hooks.subscribed.empty).toBe(true);
  (await details.prepare(at('debug'))).apply();
  const will = { topic: 'gone', payload: 'a secret', qos: 0 };
  const client = world.connect('a', { keepalive: 30, will });
  client.subscribe('a/#', { qos: 1 });
  client.unsubscribe('a/#');
  client.disconnect();
  expect(lines.map(({ event }) => event)).toEqual([
    'session_begun',
    'subscribed',
    'unsubscribed',
    'session_ended',
  ]);
  expect(lines[0]).toMatchObject({ client: 'a', keepAliveSeconds: 30, waiting: 0 });
  expect(lines[1]).toMatchObject({ client: 'a', topic: 'a/#', qos: 1 });
  expect(JSON.stringify(lines)).not.toContain('secret');
  (await details.prepare(at('info'))).apply();
  world.connect('late');
  expect(lines.length).toBe(4);
});
