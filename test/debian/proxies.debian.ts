import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CertificateFolder, type PairFiles } from '../support/certificates.js';
import { connectWhenOpen, freePort } from '../support/ports.js';
import { ListenerBroker, roundTrip, run } from './listener-broker.js';

let files: CertificateFolder;
let server: PairFiles;
let device: PairFiles;

beforeAll(async () => {
  files = await CertificateFolder.create();
  server = await files.issue('server');
  device = await files.issue('pump-7', { usage: 'client', names: ['pump.example'] });
  files.write('both.pem', `${server.pem}${files.read('server.key')}`);
});
afterAll(() => files.remove());

const trusted = { trusted: ['127.0.0.1'] };
const tls = () => ({ certificate: server.certificate, key: server.key });

/** HAProxy between a port of its own and the broker's, and the address that it has there. */
async function haproxy(folder: string, bind: string, server: string): Promise<string> {
  const port = `${await freePort()}`;
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `defaults
  mode tcp
  timeout connect 5s
  timeout client 1m
  timeout server 1m
frontend in
  bind 127.0.0.1:${port} ${bind}
  default_backend out
backend out
  server broker 127.0.0.1:${server}
`,
  );
  run('haproxy', '-db', '-f', file);
  (await connectWhenOpen(Number(port))).destroy();
  return port;
}

function addressesOf(broker: ListenerBroker): string[] {
  return broker.events('connected').map(({ address }) => String(address).split(':')[0]!);
}

test.each(['send-proxy', 'send-proxy-v2'])('HAProxy with %s, MQTT', async (header) => {
  const broker = await ListenerBroker.start([
    { url: 'mqtt://127.0.0.1:0', proxy_protocol: trusted },
  ]);
  const port = await haproxy(broker.folder, '', `${broker.port()} ${header}`);
  // Another address of this machine than the proxy's own, so that it is seen whose it is.
  await roundTrip('-h', '127.0.0.1', '-p', port, '-A', '127.0.0.77');
  expect(addressesOf(broker)).toEqual(['127.0.0.77', '127.0.0.77']);
});

test.each(['send-proxy', 'send-proxy-v2'])('HAProxy with %s in front of TLS', async (header) => {
  const broker = await ListenerBroker.start([
    { url: 'mqtts://127.0.0.1:0', proxy_protocol: trusted, tls: tls() },
  ]);
  const port = await haproxy(broker.folder, '', `${broker.port()} ${header}`);
  const to = ['-h', 'localhost', '-p', port, '-A', '127.0.0.78', '--cafile', files.ca];
  await roundTrip(...to);
  expect(addressesOf(broker)).toEqual(['127.0.0.78', '127.0.0.78']);
});

test('HAProxy ends TLS and hands on the name in the client certificate', async () => {
  const broker = await ListenerBroker.start([
    { url: 'mqtt://127.0.0.1:0', proxy_protocol: trusted, authentication: ['certificate'] },
  ]);
  const bind = `ssl crt ${files.folder}/both.pem ca-file ${files.ca} verify required`;
  const port = await haproxy(broker.folder, bind, `${broker.port()} send-proxy-v2-ssl-cn`);
  const shown = ['--cert', device.certificate, '--key', device.key];
  await roundTrip('-h', 'localhost', '-p', port, '--cafile', files.ca, ...shown);
  expect(broker.events('connected')[0]).toMatchObject({ user: 'pump-7', method: 'certificate' });
});

test('who comes without a header, or from elsewhere, is refused and told of', async () => {
  const broker = await ListenerBroker.start([
    { url: 'mqtt://127.0.0.1:0', proxy_protocol: trusted },
  ]);
  const to = ['-h', '127.0.0.1', '-p', broker.port(), '-t', 'x', '-m', 'x'];
  expect(await run('mosquitto_pub', ...to).exited).not.toBe(0);
  await broker.command.says('does not begin with a PROXY header');
  expect(await run('mosquitto_pub', ...to, '-A', '127.0.0.5').exited).not.toBe(0);
  await broker.command.says('none of the trusted proxies');
  expect(broker.events('proxy_refused').length).toBe(2);
});

test('a Unix domain socket', async () => {
  const file = join(files.folder, 'mqtt.sock');
  const broker = await ListenerBroker.start([{ url: `unix:${file}`, socket_mode: '0660' }]);
  expect(broker.addresses).toEqual([`unix:${file}`]);
  expect(statSync(file).mode & 0o777).toBe(0o660);
  await roundTrip('--unix', file);
  expect(addressesOf(broker)).toEqual(['local', 'local']);
  // Killed, it leaves its file behind; the next one takes it over.
  await broker.command.kill();
  expect(statSync(file).isSocket()).toBe(true);
  await ListenerBroker.start([{ url: `unix:${file}` }]);
  await roundTrip('--unix', file);
});
