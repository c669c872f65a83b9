import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CertificateFolder } from '../support/certificates.js';
import { AttackedBroker } from './attacked-broker.js';
import { connectBytes, inWaves, letIn, Stranger } from './stranger.js';

const SLOW = 1;
const TLS = 2;
const PROXY = 3;
const TRICKLE_MS = 250;
/** The beginning of a ClientHello that claims 512 bytes. */
const HALF_HANDSHAKE = Buffer.from('1603010200010001fc0303', 'hex');

let broker: AttackedBroker;
let certificates: CertificateFolder;

beforeAll(async () => {
  certificates = await CertificateFolder.create();
  const { certificate, key } = await certificates.issue('server');
  const secure = { certificate, key, handshake_seconds_max: 2, handshakes_max: 300 };
  broker = await AttackedBroker.start([
    { url: 'mqtt://127.0.0.1:0', limits: { connect_seconds_max: 2 } },
    { url: 'mqtts://127.0.0.1:0', tls: secure },
    { url: 'mqtt://127.0.0.1:0', proxy_protocol: { trusted: ['10.0.0.0/8'] } },
  ]);
});
afterAll(async () => {
  await broker.stop();
  certificates.remove();
});

test('a CONNECT that comes byte by byte, 500 times', async () => {
  const connect = connectBytes({ clientId: 'a-name-that-takes-long-to-say' });
  const strangers: Stranger[] = [];
  const attack = async (): Promise<void> => {
    await inWaves(500, 100, async () => {
      strangers.push(await Stranger.open(broker.port(SLOW)));
    });
    for (let at = 0; strangers.some(({ isClosed }) => !isClosed); at++) {
      for (const stranger of strangers) await stranger.say(connect.subarray(at, at + 1));
      await delay(TRICKLE_MS);
    }
  };
  const fields = { address: /^127\.0\.1\./, msg: /no complete CONNECT within 2 s/ };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'refused', fields });
  expect(strangers.every(({ received }) => received.length === 0)).toBe(true);
});

test('2000 half TLS handshakes', async () => {
  const strangers: Stranger[] = [];
  const attack = async (): Promise<void> => {
    await inWaves(2000, 200, async () => {
      const stranger = await Stranger.open(broker.port(TLS));
      await stranger.say(HALF_HANDSHAKE);
      strangers.push(stranger);
    });
    await Promise.all(strangers.map(({ closed }) => closed));
  };
  await broker.withstands(attack, { growthMiBMax: 400, event: 'handshake_failed' });
});

test('a take-over storm: one Client Identifier, 1000 connections', async () => {
  const strangers: Stranger[] = [];
  const attack = async (): Promise<void> => {
    await inWaves(1000, 100, async () => {
      const stranger = await Stranger.open(broker.port(0));
      await stranger.say(connectBytes({ clientId: 'the-one' }));
      strangers.push(stranger);
    });
    await delay(1000);
    for (const stranger of strangers) stranger.leave();
  };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'identifier_ping_pong' });
});

test('a will of each of 2000 clients that are gone at once', async () => {
  const watcher = await letIn(broker.port(0));
  const will = { topic: 'wills', payload: Buffer.alloc(1000), qos: 1 as const, retain: true };
  const strangers: Stranger[] = [];
  const attack = async (): Promise<void> => {
    await inWaves(2000, 100, async (i) => {
      strangers.push(await letIn(broker.port(0), { clientId: `mourned-${i}`, will }));
    });
    for (const stranger of strangers) stranger.leave();
    await delay(500);
  };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'disconnected' });
  watcher.leave();
});

test('a PROXY header from an address that is not trusted, 200 times', async () => {
  const header = 'PROXY TCP4 10.1.2.3 10.0.0.1 4711 1883\r\n';
  const attack = (): Promise<void> =>
    inWaves(200, 50, async () => {
      const stranger = await Stranger.open(broker.port(PROXY));
      await stranger.say(header);
      await stranger.say(connectBytes());
      await stranger.closed;
      expect(stranger.received.length).toBe(0);
    });
  const fields = { address: /^127\.0\.1\./, reason: /none of the trusted/ };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'proxy_refused', fields });
});

test('a PROXY header where none is expected', async () => {
  const attack = async (): Promise<void> => {
    const stranger = await Stranger.open(broker.port(SLOW));
    await stranger.say('PROXY TCP4 10.1.2.3 10.0.0.1 4711 1883\r\n');
    await stranger.say(connectBytes({ clientId: 'somebody-with-a-long-name-behind-a-proxy' }));
    await stranger.closed;
  };
  const fields = { reason: 'protocol-violation', address: /^127\.0\.1\./ };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'refused', fields });
});
