import { SignJWT } from 'jose';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  type BrokerOptions,
  createBroker,
  hashPassword,
  type RunningBroker,
} from '../../src/index.js';

const SECRET = 'a secret of thirty-two bytes or more';
const NOT_AUTHORIZED = 0x87;
const URL_OF_ALL = 'mqtt://127.0.0.1:0';

let passwordHash: string;
beforeAll(async () => {
  passwordHash = await hashPassword('right', 4);
});

async function token(): Promise<string> {
  const claims = { sub: 'tablet', exp: Math.floor(Date.now() / 1000) + 3600 };
  const key = Buffer.from(SECRET);
  return new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(key);
}

async function start(options: BrokerOptions): Promise<RunningBroker> {
  const broker = await createBroker({ listen: [URL_OF_ALL], ...options });
  onTestFinished(() => broker.close());
  return broker;
}

interface Guest {
  readonly client: MqttClient;
  readonly ended: Promise<number>;
  hasEnded: boolean;
}

async function enter(broker: RunningBroker, options: IClientOptions): Promise<Guest> {
  const own = { protocolVersion: 5, reconnectPeriod: 0, ...options } as const;
  const client = await connectAsync(broker.addresses[0]!, own);
  const guest: Guest = {
    client,
    hasEnded: false,
    ended: new Promise((resolve) => {
      client.on('disconnect', ({ reasonCode }) => {
        guest.hasEnded = true;
        resolve(reasonCode ?? 0);
      });
    }),
  };
  onTestFinished(() => void client.end(true));
  return guest;
}

const jwt = { algorithms: ['HS256' as const], secret: SECRET };

test('a reload ends those who came in by a way that is closed now, and nobody else', async () => {
  const users = [{ name: 'kitchen', passwordHash }];
  const broker = await start({ allowAnonymous: true, authentication: { users, jwt } });
  const byPassword = await enter(broker, { username: 'kitchen', password: 'right' });
  const byToken = await enter(broker, { username: 'any', password: await token() });
  const byNothing = await enter(broker, {});
  const inside = await broker.client();
  await broker.reload({ listen: [URL_OF_ALL], allowAnonymous: true, authentication: { users } });
  expect(await byToken.ended).toBe(NOT_AUTHORIZED);
  await byNothing.client.publishAsync('a', 'still there', { qos: 1 });
  await broker.reload({ listen: [URL_OF_ALL], authentication: { users } });
  expect(await byNothing.ended).toBe(NOT_AUTHORIZED);
  await byPassword.client.publishAsync('a', 'still there', { qos: 1 });
  expect(byPassword.hasEnded).toBe(false);
  await broker.reload({ listen: [URL_OF_ALL], authentication: { jwt } });
  expect(await byPassword.ended).toBe(NOT_AUTHORIZED);
  await inside.publish('a', 'still there', { qos: 1 });
  await inside.close();
});

test('a listener may give up a method alone', async () => {
  const users = [{ name: 'kitchen', passwordHash }];
  const broker = await start({ authentication: { users, jwt } });
  const byPassword = await enter(broker, { username: 'kitchen', password: 'right' });
  const byToken = await enter(broker, { username: 'any', password: await token() });
  const listen = [{ url: URL_OF_ALL, authentication: ['jwt' as const] }];
  await broker.reload({ listen, authentication: { users, jwt } });
  expect(await byPassword.ended).toBe(NOT_AUTHORIZED);
  await byToken.client.publishAsync('a', 'still there', { qos: 1 });
  expect(byToken.hasEnded).toBe(false);
});

test('who came in before anybody was asked has to say who he is', async () => {
  const broker = await start({});
  const early = await enter(broker, {});
  const users = [{ name: 'kitchen', passwordHash }];
  await broker.reload({ listen: [URL_OF_ALL], authentication: { users } });
  expect(await early.ended).toBe(NOT_AUTHORIZED);
});
