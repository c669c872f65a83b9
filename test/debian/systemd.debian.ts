import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { buildIfStale, repositoryFolder, serverMain } from '../support/build-if-stale.js';
import { connectWhenOpen, freePort } from '../support/ports.js';
import { roundTrip, run } from './listener-broker.js';

/** systemd's side of sd_notify(3): datagrams of lines, which Node cannot receive. */
const LISTEN_TO_NOTICES = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print('listening')
while True:
    print(receiver.recv(4096).decode())
`;

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-systemd-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test('systemd opens the port, starts the broker for its first client, and hears of it', async () => {
  await buildIfStale();
  const folder = temporaryFolder();
  const notices = join(folder, 'notify');
  const systemd = run('python3', '-u', '-c', LISTEN_TO_NOTICES, notices);
  await systemd.takeUntil('listening');
  const port = `${await freePort()}`;
  const dunlin = [serverMain, '--listen', 'systemd:mqtt', '--allow-anonymous', '--in-memory'];
  const set = [`NOTIFY_SOCKET=${notices}`, 'WATCHDOG_USEC=400000'];
  const broker = run(
    'systemd-socket-activate',
    `--listen=127.0.0.1:${port}`,
    '--fdname=mqtt',
    ...set.flatMap((variable) => ['-E', variable]),
    process.execPath,
    ...dunlin,
    '--log-format',
    'json',
  );
  // The port is open before anybody has started the broker.
  (await connectWhenOpen(Number(port))).destroy();
  await roundTrip('-h', '127.0.0.1', '-p', port);
  const lines = await broker.takeUntil('"event":"ready"');
  expect(lines.join('\n')).toContain(`"url":"mqtt://127.0.0.1:${port}"`);
  const told = (await systemd.takeUntil('WATCHDOG=1')).join('\n');
  expect(told).toContain('READY=1');
  expect(told).toContain(`STATUS=listening on mqtt://127.0.0.1:${port}`);
  await systemd.takeUntil('WATCHDOG=1');
  broker.kill('SIGTERM');
  await systemd.takeUntil('STOPPING=1');
  expect(await broker.exited).toBe(0);
});

test('the unit is one that systemd takes', async () => {
  const file = join(repositoryFolder, 'examples/dunlin.service');
  const socket = join(repositoryFolder, 'examples/dunlin.socket');
  const lines = await run('systemd-analyze', 'verify', '--man=no', file, socket).succeed();
  expect(lines).toEqual([]);
});
