import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connectAsync } from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import { createBroker } from '../../src/index.js';

interface Asked {
  readonly action: string;
  readonly topic: string;
  readonly header: string | undefined;
}

async function judge(): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += part;
    });
    request.on('end', () => {
      const { action, topic } = JSON.parse(body) as Asked;
      asked.push({ action, topic, header: request.headers.authorization });
      response.end(JSON.stringify({ allow: !topic.startsWith('secret') }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

test('MQTT.js may do what rules and server both allow; a reload takes the server away', async () => {
  const { url, asked } = await judge();
  const listen = ['mqtt://127.0.0.1:0'];
  const rules = ['deny publish home/alarm', 'allow all #'];
  const http = { url, authorization: 'Bearer x', timeoutSeconds: 60 };
  const broker = await createBroker({ listen, authorization: { rules, http } });
  onTestFinished(() => broker.close());
  const client = await connectAsync(broker.addresses[0]!, {
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
  onTestFinished(() => client.endAsync(true));
  const code = (topic: string): Promise<number | undefined> =>
    new Promise((resolve) => {
      client.publish(topic, 'x', { qos: 1 }, (error) => {
        resolve((error as { code?: number } | null)?.code);
      });
    });
  expect(await code('home/lamp')).toBeUndefined();
  expect(await code('secret/lamp')).toBe(0x87);
  expect(await code('home/alarm')).toBe(0x87);
  const granted = await client.subscribeAsync(['home/#', 'secret/#']).catch((error) => error);
  expect(JSON.stringify(granted)).toContain('135');
  expect(asked.map(({ action, topic }) => `${action} ${topic}`)).toEqual([
    'publish home/lamp',
    'publish secret/lamp',
    'subscribe home/#',
    'subscribe secret/#',
  ]);
  expect(asked[0]!.header).toBe('Bearer x');
  await broker.reload({ listen, authorization: { rules } });
  expect(await code('secret/lamp')).toBeUndefined();
  expect(asked.length).toBe(4);
});

test('a server that is not there allows nothing', async () => {
  const broker = await createBroker({
    listen: ['mqtt://127.0.0.1:0'],
    authorization: { http: { url: 'http://127.0.0.1:1/' } },
  });
  onTestFinished(() => broker.close());
  const client = await connectAsync(broker.addresses[0]!, {
    protocolVersion: 5,
    reconnectPeriod: 0,
  });
  onTestFinished(() => client.endAsync(true));
  const refused = await client.publishAsync('a', 'x', { qos: 1 }).catch((error) => error.code);
  expect(refused).toBe(0x87);
});
