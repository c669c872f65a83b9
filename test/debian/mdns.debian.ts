import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { insideNamespace, ip } from '../../firmware-sim/packet-link/namespaces.js';
import { buildIfStale, serverMain } from '../support/build-if-stale.js';
import { ChildProgram } from '../support/child-program.js';

const run = promisify(execFile);

const LOOK = `
import sys, time
from zeroconf import ServiceBrowser, Zeroconf

class Printer:
    def add_service(self, zeroconf, kind, name):
        info = zeroconf.get_service_info(kind, name)
        print(kind, info.get_name(), info.port, flush=True)
    def update_service(self, *_): pass
    def remove_service(self, zeroconf, kind, name):
        print("gone", kind, flush=True)

zeroconf = Zeroconf(interfaces=["10.78.0.1"])
browser = ServiceBrowser(zeroconf, ["_mqtt._tcp.local.", "_secure-mqtt._tcp.local."], Printer())
time.sleep(170)
`;

test('the local network finds what can be reached, and is told when it goes', async () => {
  await buildIfStale();
  const namespace = `dn${process.pid.toString(36)}`;
  await ip('netns', 'add', namespace);
  onTestFinished(() => ip('netns', 'del', namespace));
  const inside = (...words: string[]) => ip('-n', namespace, ...words);
  await inside('link', 'set', 'lo', 'up');
  await inside('link', 'add', 'lan', 'type', 'veth', 'peer', 'name', 'wire');
  await inside('link', 'set', 'wire', 'up');
  await inside('link', 'set', 'lan', 'up', 'multicast', 'on');
  await inside('address', 'add', '10.78.0.1/24', 'dev', 'lan');
  await inside('route', 'add', 'default', 'dev', 'lan');
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-mdns-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'dunlin.yaml');
  writeFileSync(
    config,
    JSON.stringify({
      listen: ['mqtt://127.0.0.1:1884', 'mqtt://0.0.0.0:1883', 'ws://0.0.0.0:8080/mqtt'],
      mdns_name: 'House of birds',
      allow_anonymous: true,
      in_memory: true,
      log_format: 'json',
    }),
  );
  const [program, ...words] = insideNamespace(namespace);
  const child = (...command: string[]) => {
    const started = new ChildProgram(program, [...words, ...command]);
    onTestFinished(() => started.kill());
    return started;
  };
  const look = child('/usr/bin/python3', '-c', LOOK);
  const broker = child(process.execPath, serverMain, '--config', config);
  expect(await look.take(1)).toEqual(['_mqtt._tcp.local. House of birds 1883']);
  await broker.takeUntil('announced');
  const { stdout } = await run('ip', ['netns', 'pids', namespace]);
  expect(stdout).not.toBe('');
  broker.kill('SIGTERM');
  expect(await look.take(1)).toEqual(['gone _mqtt._tcp.local.']);
});
