import { join } from 'node:path';
import mqtt from 'mqtt';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { CertificateFolder, type PairFiles } from '../support/certificates.js';
import { ListenerBroker, roundTrip, run } from './listener-broker.js';

let files: CertificateFolder;
let server: PairFiles;
let device: PairFiles;

beforeAll(async () => {
  files = await CertificateFolder.create();
  server = await files.issue('server');
  device = await files.issue('pump-7', { usage: 'client', names: ['pump.example'] });
});
afterAll(() => files.remove());

const own = (more: object = {}) => ({ certificate: server.certificate, key: server.key, ...more });

function mqtts(tls: object, more: object = {}): object {
  return { url: 'mqtts://127.0.0.1:0', tls, ...more };
}

const trusting = (port: string): string[] => ['-h', 'localhost', '-p', port, '--cafile', files.ca];
const showing = ({ certificate, key }: PairFiles): string[] => [
  '--cert',
  certificate,
  '--key',
  key,
];

test.each(['tlsv1.2', 'tlsv1.3'])('mosquitto_pub and _sub by %s', async (version) => {
  const broker = await ListenerBroker.start([mqtts(own())]);
  await roundTrip(...trusting(broker.port()), '--tls-version', version);
});

test('a client certificate is the user name; none, a foreign and a revoked one are not', async () => {
  const lost = await files.issue('lost', { usage: 'client', names: ['lost.example'] });
  const revocationList = await files.revoke(lost.pem);
  const broker = await ListenerBroker.start([
    mqtts(
      own({
        ca: files.ca,
        client_certificate: 'required',
        user_name_from: 'cn',
        revocation_list: revocationList,
      }),
    ),
  ]);
  const to = trusting(broker.port());
  await roundTrip(...to, ...showing(device));
  expect(broker.events('connected')[0]).toMatchObject({ user: 'pump-7', method: 'certificate' });
  const code = await run('mosquitto_pub', ...to, '-t', 'x', '-m', 'x').exited;
  expect(code).not.toBe(0);
  await broker.command.says('the client has shown no certificate');
  expect(await run('mosquitto_pub', ...to, ...showing(lost), '-t', 'x', '-m', 'x').exited).not.toBe(
    0,
  );
  await broker.command.says("the client's certificate is revoked");
  const foreign = await CertificateFolder.create();
  onTestFinished(() => foreign.remove());
  const stranger = await foreign.issue('stranger', { usage: 'client' });
  expect(
    await run('mosquitto_pub', ...to, ...showing(stranger), '-t', 'x', '-m', 'x').exited,
  ).not.toBe(0);
  await broker.command.says("the client's certificate is of an unknown authority");
});

test.each(['tlsv1.2', 'tlsv1.3'])('a pre-shared key by %s, and a wrong one', async (version) => {
  const key = '00112233445566778899aabbccddeeff';
  const psk_file = files.write('keys.psk', `mote-1:${key}\n`);
  const broker = await ListenerBroker.start([mqtts({ psk_file, psk_hint: 'dunlin' })]);
  const to = ['-h', 'localhost', '-p', broker.port(), '--tls-version', version];
  await roundTrip(...to, '--psk-identity', 'mote-1', '--psk', key);
  expect(broker.events('connected')[0]).toMatchObject({ user: 'mote-1', method: 'psk' });
  const attempts = [
    ['mote-1', `ff${key}`],
    ['mote-2', key],
  ];
  for (const [identity, secret] of attempts) {
    const args = [...to, '--psk-identity', identity!, '--psk', secret!, '-t', 'x', '-m', 'x'];
    expect(await run('mosquitto_pub', ...args).exited).not.toBe(0);
  }
  files.write('keys.psk', `mote-1:${key}\nmote-2:${key}\n`);
  await broker.command.says('"event":"certificate_reloaded"');
  await roundTrip(...to, '--psk-identity', 'mote-2', '--psk', key);
});

test('a client that does not trust the certificate is told of', async () => {
  const other = await CertificateFolder.create();
  onTestFinished(() => other.remove());
  const broker = await ListenerBroker.start([mqtts(own())]);
  const to = ['-h', 'localhost', '-p', broker.port(), '--cafile', other.ca];
  expect(await run('mosquitto_pub', ...to, '-t', 'x', '-m', 'x').exited).not.toBe(0);
  await broker.command.says('it needs the authority');
});

function openssl(port: string, ...args: string[]): ReturnType<typeof run> {
  const to = ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', files.ca];
  return run('openssl', ...to, ...args);
}

test('openssl: versions in and out', async () => {
  const broker = await ListenerBroker.start([mqtts(own({ versions: ['1.2'] })), mqtts(own())]);
  const old = openssl(broker.port(1), '-tls1_1', '-cipher', 'ALL:@SECLEVEL=0');
  expect(await old.exited).not.toBe(0);
  await broker.command.says('only versions of TLS that are not let in');
  expect(await openssl(broker.port(0), '-tls1_3').exited).not.toBe(0);
  for (const version of ['-tls1_2', '-tls1_3']) {
    const client = openssl(broker.port(1), version, '-verify_return_error');
    await client.takeUntil(version === '-tls1_2' ? 'Verify return code: 0' : 'Verification: OK');
    client.kill();
  }
});

const CONNECT = Buffer.from('100c00044d5154540402003c0000', 'hex');
const SUBSCRIBE = Buffer.from('82080001000362696700', 'hex');

/** Lengths of the records of application data that `-msg` shows as received. */
function dataRecords(lines: readonly string[]): number[] {
  const text = lines.join('\n');
  const headers = text.matchAll(
    /<<< [^\n]*RecordHeader[^\n]*\n\s+17 03 03 ([0-9a-f]{2}) ([0-9a-f]{2})/g,
  );
  return [...headers].map(([, high, low]) => Number.parseInt(`${high}${low}`, 16));
}

test.each([
  ['asked for by max_fragment_length', {}, ['-maxfraglen', '512', '-tls1_2'], 24],
  ['asked for in TLS 1.3', {}, ['-maxfraglen', '512', '-tls1_3'], 17],
  ['set by record_bytes_max', { record_bytes_max: 512 }, ['-tls1_2'], 24],
])('openssl: records of 512 bytes, %s', async (_, more, args, overheadBytes) => {
  const broker = await ListenerBroker.start([mqtts(own(more))]);
  const large = 'x'.repeat(20_000);
  await run('mosquitto_pub', ...trusting(broker.port()), '-r', '-t', 'big', '-m', large).succeed();
  const options = ['-msg', '-nocommands', '-ign_eof', ...args];
  const client = openssl(broker.port(), ...options);
  await client.takeUntil('Verif');
  client.writeBytes(Buffer.concat([CONNECT, SUBSCRIBE]));
  const lines: string[] = [];
  const received = () => dataRecords(lines).reduce((sum, length) => sum + length, 0);
  while (received() < large.length) lines.push(...(await client.take(1)));
  // The tag of AES-GCM is 16 bytes; before it is the nonce, or in TLS 1.3 the type of the record.
  expect(Math.max(...dataRecords(lines))).toBe(512 + overheadBytes);
});

test('openssl: sessions are resumed', async () => {
  const broker = await ListenerBroker.start([mqtts(own())]);
  const again = openssl(broker.port(), '-tls1_2', '-reconnect');
  for (let i = 0; i < 5; i++) await again.takeUntil('Reused, TLSv1.2');
  const session = join(broker.folder, 'session.pem');
  const first = openssl(broker.port(), '-tls1_3', '-sess_out', session);
  await first.takeUntil('Post-Handshake New Session Ticket');
  await first.takeUntil('Verify return code: 0');
  first.end();
  await first.exited;
  const second = openssl(broker.port(), '-tls1_3', '-sess_in', session);
  await second.takeUntil('Reused, TLSv1.3');
});

test('MQTT.js over wss', async () => {
  const listen = { url: 'wss://127.0.0.1:0/mqtt', tls: own() };
  const broker = await ListenerBroker.start([listen]);
  const client = await mqtt.connectAsync(broker.addresses[0]!, { ca: files.caPem });
  const arrived = new Promise((resolve) => {
    client.on('message', (_, payload) => resolve(payload.toString()));
  });
  await client.subscribeAsync('web');
  await client.publishAsync('web', 'y'.repeat(100_000), { qos: 1 });
  expect(await arrived).toBe('y'.repeat(100_000));
  await client.endAsync();
});

const ROUNDS = 5;

test('certificates are replaced under load, and nobody is dropped', async () => {
  const pair = await files.issue('loaded');
  const broker = await ListenerBroker.start([
    mqtts({ certificate: pair.certificate, key: pair.key }),
  ]);
  const connect = () =>
    mqtt.connectAsync(`mqtts://localhost:${broker.port()}`, {
      ca: files.caPem,
      reconnectPeriod: 0,
    });
  const clients = await Promise.all(Array.from({ length: 10 }, connect));
  const dropped: string[] = [];
  for (const client of clients) {
    client.on('close', () => dropped.push(String(client.options.clientId)));
  }
  let running = true;
  let sent = 0;
  const load = clients.map(async (client) => {
    while (running) {
      await client.publishAsync('load', 'z'.repeat(500), { qos: 1 });
      sent++;
    }
  });
  const shown = new Set<string>();
  for (let round = 1; round <= ROUNDS; round++) {
    await files.issue('loaded');
    while (broker.events('certificate_reloaded').length < round) {
      await new Promise((resolve) => broker.command.child.stdout!.once('data', resolve));
    }
    shown.add(await certificateShown(broker.port()));
    expect(shown.size).toBe(round);
    const before = sent;
    while (sent < before + 100) await new Promise((resolve) => setImmediate(resolve));
  }
  running = false;
  await Promise.all(load);
  expect(dropped).toEqual([]);
  expect(broker.events('disconnected').filter(({ client }) => client !== '')).toEqual([]);
  expect(broker.events('certificate_failed')).toEqual([]);
  await Promise.all(clients.map((client) => client.endAsync()));
});

async function certificateShown(port: string): Promise<string> {
  const client = openssl(port, '-showcerts');
  const lines = await client.takeUntil('-----END CERTIFICATE-----');
  client.kill();
  return lines.join('\n').split('-----BEGIN CERTIFICATE-----')[1]!;
}
