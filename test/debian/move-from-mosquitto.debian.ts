import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { createAuthority, issueCertificate } from '../../src/server/certificates/authority.js';
import { buildIfStale, serverMain } from '../support/build-if-stale.js';
import { ChildProgram } from '../support/child-program.js';
import { connectWhenOpen, freePort } from '../support/ports.js';

beforeAll(buildIfStale);

/** A folder as somebody who has used Mosquitto for years may have it. */
interface House {
  readonly folder: string;
  readonly config: string;
  readonly plainPort: number;
  readonly tlsPort: number;
  /** For devices with a certificate, by which Mosquitto knows their names. */
  readonly devicePort: number;
  readonly pskPort: number;
  readonly authority: string;
  readonly device: { readonly certificate: string; readonly key: string };
}

const KEY = '00112233445566778899aabbccddeeff';

async function house(): Promise<House> {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-house-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  // Mosquitto reads these as a user of its own when it is started by root.
  chmodSync(folder, 0o755);
  const at = (name: string) => join(folder, name);
  mkdirSync(at('conf.d'));
  mkdirSync(at('data'));
  chmodSync(at('data'), 0o777);
  execFileSync('mosquitto_passwd', ['-b', '-c', at('passwd'), 'anna', 'bird-song']);
  execFileSync('mosquitto_passwd', ['-b', at('passwd'), 'plug-7', 'click']);
  chmodSync(at('passwd'), 0o644);
  writeFileSync(
    at('acl'),
    [
      'topic read news/#',
      'user anna',
      'topic readwrite house/#',
      'topic read plugs/#',
      'pattern write plugs/%u/state',
    ]
      .join('\n')
      .concat('\n'),
  );
  const nowMs = Date.now();
  const authority = await createAuthority({ commonName: 'house', days: 10, nowMs });
  const names = ['localhost', '127.0.0.1'];
  const own = { commonName: 'localhost', names, usage: 'server', days: 5, nowMs } as const;
  const pair = await issueCertificate(authority, own);
  const plug = { commonName: 'plug-7', names: [], usage: 'client', days: 5, nowMs } as const;
  const device = await issueCertificate(authority, plug);
  writeFileSync(at('plug.pem'), device.certificate);
  writeFileSync(at('plug.key'), device.privateKey);
  writeFileSync(at('keys.psk'), `plug-7:${KEY}\n`);
  writeFileSync(at('ca.pem'), authority.certificate);
  writeFileSync(at('server.pem'), pair.certificate);
  writeFileSync(at('server.key'), pair.privateKey);
  const [plainPort, tlsPort] = [await freePort(), await freePort()];
  const [devicePort, pskPort] = [await freePort(), await freePort()];
  writeFileSync(
    at('mosquitto.conf'),
    `per_listener_settings false
allow_anonymous false
password_file ${at('passwd')}
acl_file ${at('acl')}
persistence true
persistence_location ${at('data')}/
max_queued_messages 500
include_dir ${at('conf.d')}
`,
  );
  writeFileSync(at('conf.d/plain.conf'), `listener ${plainPort} 127.0.0.1\n`);
  writeFileSync(
    at('conf.d/tls.conf'),
    `listener ${tlsPort} 127.0.0.1
certfile ${at('server.pem')}
keyfile ${at('server.key')}
`,
  );
  writeFileSync(
    at('conf.d/devices.conf'),
    `listener ${devicePort} 127.0.0.1
cafile ${at('ca.pem')}
certfile ${at('server.pem')}
keyfile ${at('server.key')}
require_certificate true
use_identity_as_username true
listener ${pskPort} 127.0.0.1
psk_file ${at('keys.psk')}
psk_hint house
use_identity_as_username true
`,
  );
  return {
    folder,
    config: at('mosquitto.conf'),
    plainPort,
    tlsPort,
    devicePort,
    pskPort,
    authority: at('ca.pem'),
    device: { certificate: at('plug.pem'), key: at('plug.key') },
  };
}

function start(program: string, ...words: string[]): ChildProgram {
  const child = new ChildProgram(program, words);
  onTestFinished(() => child.kill());
  return child;
}

/** What the people and things of the house do every day; says what each of them gets. */
async function everyday(house: House): Promise<unknown> {
  const { plainPort, tlsPort, devicePort, pskPort, authority, device } = house;
  const plain = ['-h', '127.0.0.1', '-p', `${plainPort}`];
  const tls = ['-h', 'localhost', '-p', `${tlsPort}`, '--cafile', authority];
  const stranger = ['-h', 'localhost', '-p', `${devicePort}`, '--cafile', authority];
  const known = [...stranger, '--cert', device.certificate, '--key', device.key];
  const keyed = ['-h', 'localhost', '-p', `${pskPort}`, '--psk-identity', 'plug-7', '--psk'];
  const anna = ['-u', 'anna', '-P', 'bird-song'];
  const plug = ['-u', 'plug-7', '-P', 'click'];
  const subscriber = start(
    'stdbuf',
    ...['-oL', 'mosquitto_sub', '-d', ...plain, ...anna, '-q', '1'],
    ...['-t', 'house/#', '-t', 'plugs/#', '-F', '=%t %p'],
  );
  await subscriber.takeUntil('SUBACK');
  const publish = async (...words: string[]) => {
    return (await start('mosquitto_pub', ...words, '-q', '1').exited) === 0;
  };
  const letIn = [
    await publish(...tls, ...anna, '-t', 'house/kitchen', '-m', 'warm'),
    await publish(...plain, ...plug, '-t', 'house/kitchen', '-m', 'forbidden'),
    await publish(...plain, ...plug, '-t', 'plugs/plug-7/state', '-m', 'click'),
    await publish(...plain, '-u', 'anna', '-P', 'wrong', '-t', 'house/kitchen', '-m', 'wrong'),
    await publish(...plain, '-t', 'house/kitchen', '-m', 'nobody'),
    await publish(...known, '-t', 'plugs/plug-7/state', '-m', 'by certificate'),
    await publish(...known, '-t', 'plugs/plug-8/state', '-m', 'forbidden'),
    await publish(...stranger, ...plug, '-t', 'plugs/plug-7/state', '-m', 'no certificate'),
    await publish(...keyed, KEY, '-t', 'plugs/plug-7/state', '-m', 'by key'),
    await publish(...keyed, 'ff'.repeat(16), '-t', 'plugs/plug-7/state', '-m', 'wrong key'),
    await publish(...plain, ...anna, '-t', 'house/hall', '-m', 'last'),
  ];
  const taken = await subscriber.takeUntil('=house/hall');
  return { letIn, seen: taken.filter((line) => line.startsWith('=')) };
}

test('the same folder, the same clients, by --config mosquitto.conf and by import', async () => {
  const old = await house();
  const mosquitto = start('mosquitto', '-c', old.config);
  (await connectWhenOpen(old.tlsPort)).destroy();
  const before = await everyday(old);
  expect(before).toEqual({
    letIn: [true, true, true, false, false, true, true, false, true, false, true],
    seen: [
      '=house/kitchen warm',
      '=plugs/plug-7/state click',
      '=plugs/plug-7/state by certificate',
      '=plugs/plug-7/state by key',
      '=house/hall last',
    ],
  });
  mosquitto.kill('SIGTERM');
  await mosquitto.exited;

  const dunlin = start(
    process.execPath,
    serverMain,
    '--config',
    old.config,
    '--log-format',
    'json',
  );
  await dunlin.takeUntil('"ready"');
  expect(await everyday(old)).toEqual(before);
  dunlin.kill('SIGTERM');
  await dunlin.exited;

  const moved = join(old.folder, 'dunlin.yaml');
  await start(process.execPath, serverMain, 'import', old.config, '--output', moved).succeed();
  expect(readFileSync(moved, 'utf8')).toContain('queued_messages_max: 500');
  const imported = start(process.execPath, serverMain, '--config', moved, '--log-format', 'json');
  await imported.takeUntil('"ready"');
  expect(await everyday(old)).toEqual(before);
}, 300_000);
