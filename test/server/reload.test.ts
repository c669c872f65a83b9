import { connect, connectAsync } from 'mqtt';
import { expect, test } from 'vitest';
import { createBroker, StartError } from '../../src/index.js';
import type { Config } from '../../src/server/config.js';
import { ExitCode } from '../../src/server/exit-code.js';
import { Reloads } from '../../src/server/reload.js';

const [first, second] = [{ data: 'first' }, { data: 'second' }] as unknown as [Config, Config];

test('all parts take the new configuration, and say what they cannot take', async () => {
  const reloads = new Reloads(first);
  const seen: unknown[] = [];
  for (const name of ['a', 'b']) {
    reloads.add({
      prepare: async (next, current) => ({
        apply: () => seen.push([name, current.data, next.data]),
        needsRestart: [`${name} stays`],
      }),
    });
  }
  expect(await reloads.reload(second)).toEqual(['a stays', 'b stays']);
  expect(seen).toEqual([
    ['a', 'first', 'second'],
    ['b', 'first', 'second'],
  ]);
  await reloads.reload(first);
  expect(seen.at(-1)).toEqual(['b', 'second', 'first']);
});

test('where one part refuses nothing is applied, and every fault is told', async () => {
  const reloads = new Reloads(first);
  let applied = 0;
  const refuse = (sentence: string) => async (next: Config) => {
    if (next === first) return { apply: () => {} };
    throw new StartError(ExitCode.Usage, [sentence]);
  };
  reloads.add({ prepare: async () => ({ apply: () => applied++ }) });
  reloads.add({ prepare: refuse('no file') });
  reloads.add({ prepare: refuse('no key') });
  await expect(reloads.reload(second)).rejects.toThrow('no file\nno key');
  expect(applied).toBe(0);
  await reloads.reload(first);
  expect(applied).toBe(1);
});

test('what is bound or built at the start is named, not forgotten', async () => {
  const url = 'ws://127.0.0.1:0';
  const broker = await createBroker({ listen: [{ url, origins: ['https://a.example'] }] });
  const needsRestart = await broker.reload({
    listen: [{ url, origins: ['https://b.example'], trustedProxies: ['10.0.0.1'] }],
    devices: [{ match: { client: 'tiny-*' }, inFlightMax: 1 }],
    deviceCare: { devicesMax: 5 },
  });
  const [address] = broker.addresses;
  await broker.close();
  expect(address).toContain('ws://127.0.0.1:');
  expect(needsRestart).toEqual([
    'devices stays as it is until the broker is started again',
    'device_care stays as it is until the broker is started again',
    'origins of ws://127.0.0.1:0/mqtt changes when the broker is started again',
    'trusted_proxies of ws://127.0.0.1:0/mqtt changes when the broker is started again',
  ]);
});

test('a running broker takes other limits while clients stay', async () => {
  const listen = ['mqtt://127.0.0.1:0'];
  const broker = await createBroker({ listen });
  const options = { protocolVersion: 5, reconnectPeriod: 0 } as const;
  const old = await connectAsync(broker.addresses[0]!, options);
  const needsRestart = await broker.reload({
    listen: [{ url: listen[0]!, limits: { topicAliasMaximum: 5 } }],
    limits: { receiveMaximum: 9, topicLevelsMax: 20 },
    sharingStrategy: 'sticky',
  });
  expect(needsRestart).toEqual([
    'sharing_strategy stays round-robin until the broker is started again',
    'limits.topic_levels_max stays 200 until the broker is started again',
  ]);
  const young = connect(broker.addresses[0]!, options);
  const connack = await new Promise((resolve) => young.on('connect', resolve));
  expect(connack).toMatchObject({ properties: { receiveMaximum: 9, topicAliasMaximum: 5 } });
  await young.endAsync();
  expect(old.connected).toBe(true);
  await expect(broker.reload({ listen: ['mqtt://0.0.0.0:0'] })).rejects.toThrow(StartError);
  const elsewhere = await broker.reload({ listen: ['mqtt://127.0.0.2:0'] });
  expect(elsewhere).toEqual([
    'mqtt://127.0.0.2:0 is opened when the broker is started again',
    'mqtt://127.0.0.1:0 stays open until the broker is started again',
  ]);
  // What never was opened does not stay open.
  expect(await broker.reload({ listen })).toEqual([]);
  await old.endAsync();
  await broker.close();
});
