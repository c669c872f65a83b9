import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PacketSocket } from '../support/packet-socket.js';
import { Command, type CommandOptions } from './command.js';

const ANY = ['--listen', 'mqtt://127.0.0.1:0', '--log-format', 'json'];

let folder: string;
let commands: Command[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dunlin-main-'));
  commands = [];
});

afterEach(async () => {
  for (const command of commands) await command.kill();
  rmSync(folder, { recursive: true, force: true });
});

async function start(args: readonly string[], options?: CommandOptions): Promise<Command> {
  const command = await Command.start(folder, args, options);
  commands.push(command);
  return command;
}

async function refused(args: readonly string[]) {
  const command = await start(args);
  const code = await command.exitCode();
  return { code, errors: command.errors, output: command.output };
}

async function takePort(): Promise<{ server: Server; port: number }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

test('it says its version and its flags', async () => {
  expect(await refused(['--version'])).toMatchObject({ code: 0 });
  const help = await refused(['--help']);
  expect(help.code).toBe(0);
  for (const flag of ['--listen', '--data', '--durability', '--allow-anonymous', 'Exit codes']) {
    expect(help.output).toContain(flag);
  }
});

test('a wrong flag, a word that is no command and one too many end with 2, in one line', async () => {
  const wrong: [string[], string][] = [
    [['--listne', 'x'], "dunlin: unknown option '--listne' (Did you mean --listen?)\n"],
    [['chek'], 'dunlin: there is no command chek; did you mean check?\n'],
    [['check', 'more'], "dunlin: too many arguments for 'check'."],
    [['acl', 'test', 'fly', 'x'], 'dunlin: expected publish, subscribe or receive, not "fly"'],
    [['certificate', 'client', '../x'], 'dunlin: "../x" cannot name a certificate'],
    [['--listen', 'mqtts://127.0.0.1:0'], 'dunlin: --listen: listen[0].tls: is missing: '],
  ];
  for (const [args, sentence] of wrong) {
    const { code, errors, output } = await refused(args);
    expect([code, output], args.join(' ')).toEqual([2, '']);
    expect(errors.startsWith(sentence), errors).toBe(true);
    expect(errors.trimEnd()).not.toContain('\n');
  }
});

test('taken ports are all named, with the program that holds them, and nothing is started', async () => {
  const first = await takePort();
  const second = await takePort();
  const listen = [first, second].flatMap(({ port }) => ['--listen', `mqtt://127.0.0.1:${port}`]);
  const { code, errors } = await refused([...ANY, ...listen]);
  first.server.close();
  second.server.close();
  expect(code).toBe(1);
  const lines = errors.trim().split('\n');
  expect(lines.length).toBe(2);
  for (const [i, { port }] of [first, second].entries()) {
    expect(lines[i]).toContain(`port ${port} on 127.0.0.1 is taken by`);
    expect(lines[i]).toContain('--listen');
    if (process.platform === 'linux') expect(lines[i]).toContain(`(pid ${process.pid})`);
  }
  expect(existsSync(join(folder, 'dunlin-data'))).toBe(false);
});

test.each([
  [['--durabilty', 'power'], '--durability'],
  [['--durability', 'fast'], '--durability: expected power, process or memory, not "fast"'],
  [['--listen', 'tls://127.0.0.1:8883'], 'write mqtts in its place'],
  [['--listen', '1883'], 'expected a URL such as mqtt://127.0.0.1:1883'],
  [['--config', 'missing.yaml'], 'missing.yaml: cannot be read'],
  [['serve', 'now'], 'there is no command serve'],
])('%j is a wrong use and ends with 2', async (args, sentence) => {
  const { code, errors } = await refused(args);
  expect(errors).toContain(sentence);
  expect(code).toBe(2);
  expect(errors).not.toContain('    at ');
});

test('a wrong file is told line by line', async () => {
  writeFileSync(join(folder, 'dunlin.yaml'), 'durabilty: power\nlimits:\n  qos_max: 7\n');
  const { code, errors } = await refused(['--config', 'dunlin.yaml']);
  expect(code).toBe(2);
  expect(errors.trim().split('\n')).toEqual([
    'dunlin: dunlin.yaml:1:1: there is no setting durabilty; did you mean durability?',
    'dunlin: dunlin.yaml:3:12: limits.qos_max: expected a whole number from 0 to 2, not 7',
  ]);
});

test('SIGHUP reads the file again, and a wrong one changes nothing', async () => {
  const file = join(folder, 'dunlin.yaml');
  writeFileSync(file, 'log_level: info');
  const command = await start([...ANY, '--in-memory', '--config', file]);
  await command.addresses();
  writeFileSync(file, 'limits:\n  qos_maxx: 1\n  qos_max: 7\n');
  command.child.kill('SIGHUP');
  await command.says('everything stays as it was');
  expect(command.output).toContain(
    'dunlin.yaml:2:3: there is no setting limits.qos_maxx; did you mean',
  );
  expect(command.output).toContain('dunlin.yaml:3:12: limits.qos_max: expected');
  writeFileSync(file, 'limits: { qos_max: 1 }\ndata: elsewhere');
  command.child.kill('SIGHUP');
  await command.says('"event":"reloaded"');
  expect(command.output).toContain('data stays ./dunlin-data until');
  const port = Number(new URL((await command.addresses())[0]!).port);
  const { socket, connack } = await connected(port, 'late');
  expect(connack).toMatchObject({ properties: { maximumQoS: 1 } });
  socket.destroy();
});

test('it does not listen for other machines unless told so in so many words', async () => {
  const open = ['--listen', 'mqtt://0.0.0.0:0', '--in-memory', '--log-format', 'json'];
  const { code, errors } = await refused(open);
  expect(code).toBe(2);
  expect(errors).toContain('mqtt://0.0.0.0:0 can be reached from other machines');
  expect(errors).toContain('--allow-anonymous');
  const allowed = await start(open, { environment: { DUNLIN_ALLOW_ANONYMOUS: 'true' } });
  expect(await allowed.addresses()).toEqual([expect.stringMatching(/^mqtt:\/\/0\.0\.0\.0:\d+$/)]);
});

test('a folder that is none ends with 1, one that is in use with 4', async () => {
  writeFileSync(join(folder, 'file'), 'x');
  const none = await refused([...ANY, '--data', join(folder, 'file')]);
  expect(none.code).toBe(1);
  expect(none.errors).toContain(join(folder, 'file'));
  const first = await start(ANY);
  await first.addresses();
  const second = await refused(ANY);
  expect(second.code).toBe(4);
  expect(second.errors).toContain('dunlin-data');
  expect(second.errors.trim().split('\n').length).toBe(1);
});

test('a person is told what listens where, where the data is and what holds', async () => {
  const command = await start([
    ...['--listen', 'mqtt://127.0.0.1:0', '--listen', 'ws://127.0.0.1:0'],
    ...['--log-format', 'human', '--durability', 'process'],
  ]);
  await command.says('Access');
  expect(command.output).toMatch(/dunlin \d+\.\d+\.\d+ {3}ready in \d+ ms/);
  expect(command.output).toMatch(/MQTT +mqtt:\/\/127\.0\.0\.1:\d+\n/);
  expect(command.output).toMatch(/WebSocket +ws:\/\/127\.0\.0\.1:\d+\/mqtt\n/);
  expect(command.output).toContain(join(folder, 'dunlin-data'));
  expect(command.output).toContain('survives a crash of the broker');
});

test('the health command asks a running broker', async () => {
  const command = await start(['--listen', 'ws://127.0.0.1:0', '--in-memory', ...ANY]);
  const url = (await command.addresses()).find((address) => address.startsWith('ws:'));
  const ready = `${url!.replace('ws:', 'http:').replace('/mqtt', '')}/readyz`;
  expect(await refused(['health', ready])).toMatchObject({ code: 0, output: 'ready\n' });
  command.child.kill('SIGTERM');
  expect(await command.exitCode()).toBe(0);
  expect(await refused(['health', ready])).toMatchObject({ code: 1 });
});

test('a store that cannot write any more acknowledges nothing and ends it with 3', async () => {
  const command = await start(ANY, { fileKiBMax: 512 });
  const port = Number(new URL((await command.addresses())[0]!).port);
  const publisher = await connected(port, 'publisher');
  const payload = Buffer.alloc(64 * 1024);
  let acknowledged = 0;
  const publishAll = async (): Promise<void> => {
    for (let messageId = 1; messageId < 100; messageId++) {
      const publish = { cmd: 'publish', topic: `kept/${messageId}`, messageId, payload } as const;
      await publisher.exchange({ ...publish, qos: 1, dup: false, retain: true });
      acknowledged++;
    }
  };
  expect(await Promise.race([command.exitCode(), publishAll()])).toBe(3);
  expect(acknowledged).toBeGreaterThan(0);
  expect(acknowledged).toBeLessThan(9);
  expect(command.output.match(/"event":"store_failed"/g)?.length).toBe(1);
  publisher.socket.destroy();
});

test('it ends although nobody reads its log any more, which nothing has told it', async () => {
  const command = await start([...ANY, '--in-memory']);
  await command.addresses();
  command.child.stdout!.destroy();
  command.child.kill('SIGTERM');
  expect(await command.exitCode()).toBe(0);
});

test('it outlives whoever read its log', async () => {
  const command = await start([...ANY, '--in-memory']);
  const port = Number(new URL((await command.addresses())[0]!).port);
  command.child.stdout!.destroy();
  for (const name of ['one', 'two']) {
    const { socket } = await connected(port, name);
    socket.destroy();
  }
  command.child.kill('SIGTERM');
  expect(await command.exitCode()).toBe(0);
});

/** A client that has more coming to it than its socket takes, and reads nothing. */
async function withStalledClient(): Promise<{ command: Command; end: () => void }> {
  const command = await start([...ANY, '--in-memory']);
  const port = Number(new URL((await command.addresses())[0]!).port);
  const stalled = await connected(port, 'stalled');
  await stalled.exchange({
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: [{ topic: '#', qos: 1 }],
  });
  stalled.socket.stopReading();
  const publisher = await connected(port, 'publisher');
  const payload = Buffer.alloc(4 * 1024 * 1024);
  for (let messageId = 1; messageId <= 8; messageId++) {
    const publish = { cmd: 'publish', topic: 'large', qos: 1, messageId, payload } as const;
    await publisher.exchange({ ...publish, dup: false, retain: false });
  }
  const end = (): void => {
    stalled.socket.destroy();
    publisher.socket.destroy();
  };
  return { command, end };
}

async function connected(port: number, clientId: string) {
  let answered = (_: unknown): void => {};
  const socket = new PacketSocket(port, 5, { packet: (p) => answered(p), closed: () => {} });
  const exchange = (packet: Parameters<PacketSocket['send']>[0]): Promise<unknown> =>
    new Promise((resolve) => {
      answered = resolve;
      socket.send(packet);
    });
  const connack = await exchange({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 5,
    clientId,
    clean: true,
    keepalive: 0,
  });
  return { socket, exchange, connack };
}

test('SIGTERM ends it with 0 although a client takes nothing', async () => {
  const { command, end } = await withStalledClient();
  command.child.kill('SIGTERM');
  expect(await command.exitCode()).toBe(0);
  expect(command.output).toContain('"event":"stopped"');
  end();
});

test('a second signal ends it at once with 1', async () => {
  const { command, end } = await withStalledClient();
  // Another one, and at once: it waits for its clients for three seconds only.
  command.child.kill('SIGINT');
  command.child.kill('SIGTERM');
  expect(await command.exitCode()).toBe(1);
  expect(command.output).not.toContain('"event":"stopped"');
  end();
});
