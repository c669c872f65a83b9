import { expect, onTestFinished, test } from 'vitest';
import { scramHash } from '../../src/extensions/authentication/password-hash.js';
import {
  type ClientView,
  createBroker,
  hashPassword,
  type RunningBroker,
  scramCredentials,
} from '../../src/index.js';
import { ScramClient } from '../extensions/scram/scram-client.js';
import { PacketClient } from '../support/packet-client.js';

const METHOD = 'SCRAM-SHA-256';

async function start(scram = true): Promise<{ broker: RunningBroker; views: ClientView[] }> {
  const keys = await scramCredentials('secret', { iterations: 5000 });
  const url = 'mqtt://127.0.0.1:0';
  const broker = await createBroker({
    listen: [url, { url, authentication: ['password_file'] }],
    authentication: {
      scram,
      users: [
        { name: 'kitchen', passwordHash: scramHash(keys), groups: ['home'] },
        { name: 'cellar', passwordHash: await hashPassword('secret', 4) },
      ],
    },
  });
  onTestFinished(() => broker.close());
  const views: ClientView[] = [];
  broker.hooks.connected.add((view) => views.push(view));
  return { broker, views };
}

function packetClient(broker: RunningBroker, at = 0): PacketClient {
  const client = new PacketClient(Number(new URL(broker.addresses[at]!).port), 5);
  onTestFinished(() => client.destroy());
  return client;
}

function connectPacket(data: Uint8Array) {
  const properties = { authenticationMethod: METHOD, authenticationData: Buffer.from(data) };
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 5,
    clean: true,
    keepalive: 0,
    clientId: 'c',
    properties,
  } as const;
}

/** What the server said at the end, and its challenge. */
async function logIn(broker: RunningBroker, user: string, password: string) {
  const client = packetClient(broker);
  const scram = new ScramClient(user, password, 'nonce');
  client.send(connectPacket(scram.first()));
  const { properties } = await client.take('auth');
  const challenge = properties!.authenticationData!;
  const data = Buffer.from(scram.final(challenge));
  client.send({
    cmd: 'auth',
    reasonCode: 0x18,
    properties: { authenticationMethod: METHOD, authenticationData: data },
  });
  const connack = await client.take('connack');
  return { connack, challenge: challenge.toString(), proof: scram.serverFinal };
}

test('a user with SCRAM keys proves the password without sending it, and has his groups', async () => {
  const { broker, views } = await start();
  const { connack, proof } = await logIn(broker, 'kitchen', 'secret');
  expect(connack).toMatchObject({ reasonCode: 0 });
  expect(connack.properties!.authenticationData!.toString()).toBe(proof);
  expect(views).toMatchObject([
    { userName: 'kitchen', identity: { groups: ['home'], method: 'scram' } },
  ]);
});

test('wrong, unknown and without keys look the same, and all count as guesses', async () => {
  const { broker } = await start();
  const answers = [
    await logIn(broker, 'kitchen', 'wrong'),
    await logIn(broker, 'nobody', 'secret'),
    await logIn(broker, 'cellar', 'secret'),
  ];
  for (const { connack, challenge } of answers) {
    expect(connack).toMatchObject({ reasonCode: 0x87 });
    expect(challenge).toMatch(/,i=5000$/);
  }
  const again = await logIn(broker, 'nobody', 'other');
  const saltOf = (text: string): unknown => /s=([^,]+)/.exec(text)?.[1];
  expect(saltOf(again.challenge)).toBe(saltOf(answers[1]!.challenge));
  expect(broker.statistics).toMatchObject({ credentialsRefused: 4, answersDelayed: 1 });
});

test.each([
  ['another listener', true, 1],
  ['scram: false', false, 0],
])('it is not offered on %s', async (_, scram, at) => {
  const { broker } = await start(scram);
  const client = packetClient(broker, at);
  client.send(connectPacket(new ScramClient('kitchen', 'secret', 'nonce').first()));
  expect(await client.take('connack')).toMatchObject({ reasonCode: 0x8c });
});

test('a user who is taken away goes, and does not finish a login that had begun', async () => {
  const { broker } = await start();
  const url = 'mqtt://127.0.0.1:0';
  const listen = [url, { url, authentication: ['password_file'] as const }];
  const client = packetClient(broker);
  const scram = new ScramClient('kitchen', 'secret', 'nonce');
  client.send(connectPacket(scram.first()));
  const { properties } = await client.take('auth');
  const users = [{ name: 'cellar', passwordHash: await hashPassword('secret', 4) }];
  await broker.reload({ listen, authentication: { users } });
  const data = Buffer.from(scram.final(properties!.authenticationData!));
  client.send({
    cmd: 'auth',
    reasonCode: 0x18,
    properties: { authenticationMethod: METHOD, authenticationData: data },
  });
  expect(await client.take('connack')).toMatchObject({ reasonCode: 0x87 });
});
