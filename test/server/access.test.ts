import { pbkdf2Sync } from 'node:crypto';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt, { type MqttClient } from 'mqtt';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { testAcl } from '../../src/server/acl-test.js';
import { check } from '../../src/server/check/check.js';
import { readRulesFile } from '../../src/server/rules-file.js';
import { repositoryFolder } from '../support/build-if-stale.js';
import { Command } from './command.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dunlin-access-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, ...lines: readonly string[]): string {
  const file = join(folder, name);
  // At once: who watches it never finds half of it.
  writeFileSync(`${file}.new`, `${lines.join('\n')}\n`);
  renameSync(`${file}.new`, file);
  return file;
}

describe('a file of rules', () => {
  test('has lines and maps, and their places', () => {
    const { rules, faults } = readRulesFile(
      [
        '# rules',
        '- allow publish a/# user=alice',
        '- effect: deny',
        '  actions: publish',
        "  topics: ['b/#', c]",
        '  qos_max: 2',
      ].join('\n'),
      'rules.yaml',
    );
    expect(faults).toEqual([]);
    expect(rules.map(({ place, text }) => `${place} ${text}`)).toEqual([
      'rules.yaml:2 allow publish a/# user=alice',
      'rules.yaml:3 deny publish b/# c qos=2',
    ]);
    expect(readRulesFile('', 'rules.yaml')).toEqual({ rules: [], faults: [] });
  });

  test('names every fault with its line', () => {
    const { faults } = readRulesFile(
      ['- allow publish', '- effect: alow', '  topics: a', '- topic: a', '- 7'].join('\n'),
      'rules.yaml',
    );
    expect(faults).toEqual([
      expect.stringMatching('^rules.yaml:1: expected a rule such as'),
      expect.stringMatching('^rules.yaml:2: expected allow or deny, not "alow"'),
      expect.stringMatching('^rules.yaml:4: .*topic; did you mean topics'),
      expect.stringMatching('^rules.yaml:5: '),
    ]);
    expect(readRulesFile('a: b', 'rules.yaml').faults).toHaveLength(1);
    expect(readRulesFile('- [', 'rules.yaml').faults[0]).toMatch(/^rules.yaml:1: /);
  });
});

test('acl test says what the example of the page comes to', async () => {
  const page = readFileSync(join(repositoryFolder, 'docs/authorization.md'), 'utf8');
  const example = /```yaml\n(# dunlin.yaml[\s\S]*?)```/.exec(page)![1]!;
  const usable = example.replace('listen: [mqtts://0.0.0.0:8883]', 'listen: [mqtt://127.0.0.1:0]');
  const config = write('dunlin.yaml', usable.replace(' users ', ` ${write('users')} `));
  const asked = (action: string, topic: string, user: string, ...group: string[]) =>
    testAcl({ config }, {}, action, topic, { user, group });
  const guest = await asked('publish', 'home/alarm/off', 'guest', 'guests');
  expect(guest.isAllowed).toBe(false);
  const quote = /\n> (denied: .*)\n/.exec(page)![1]!;
  expect(guest.sentence.replace(`${folder}/`, '')).toBe(quote);
  expect((await asked('publish', 'home/door', 'anna', 'family')).isAllowed).toBe(true);
  expect((await asked('subscribe', '#', 'guest', 'guests')).sentence).toContain('left out');
  expect((await asked('publish', 'devices/d1/up', 'd1')).isAllowed).toBe(true);
  expect((await asked('publish', 'devices/d2/up', 'd1')).isAllowed).toBe(false);
  await expect(asked('publish', 'a/#', 'x')).rejects.toMatchObject({ exitCode: 2 });
});

describe('check', () => {
  test('tells of rules that cannot be read', async () => {
    const rules = write('rules.yaml', '- allow publish a', '- permit all b');
    const lines = ['authorization:', `  rules_file: ${rules}`, '  mosquitto_acl_file: missing'];
    const config = write('dunlin.yaml', 'listen: mqtt://127.0.0.1:0', 'in_memory: true', ...lines);
    const report = await check({ config }, {});
    expect(report.exitCode).toBe(2);
    expect(report.lines.join('\n')).toContain(`${rules}:2: a rule begins with allow or deny`);
    expect(report.lines.join('\n')).toContain('missing: cannot be read');
  });

  test('tells of a server that is asked in clear text', async () => {
    const told = async (url: string): Promise<string> => {
      const lines = ['listen: mqtt://127.0.0.1:0', 'in_memory: true', 'authorization:'];
      const config = write('dunlin.yaml', ...lines, `  http: { url: '${url}' }`);
      return (await check({ config }, {})).lines.join('\n');
    };
    expect(await told('http://rights.example/')).toMatch(
      /warning: .*dunlin.yaml:4:16: authorization.http.url: who changes its answers on the way/,
    );
    expect(await told('http://127.0.0.1:8000/')).not.toContain('on the way');
    expect(await told('https://rights.example/')).not.toContain('on the way');
  });

  test('tells of rules that never decide and of what is open to whom', async () => {
    const config = write(
      'dunlin.yaml',
      'listen: mqtt://127.0.0.1:0',
      'in_memory: true',
      'authorization:',
      '  rules:',
      '    - allow all home/#',
      '    - deny publish home/alarm',
      '    - allow subscribe news user=alice',
    );
    const { lines, exitCode } = await check({ config }, {});
    expect(exitCode).toBe(0);
    const text = lines.join('\n');
    expect(text).toContain('dunlin.yaml:6: "deny publish home/alarm" never decides');
    expect(text).toContain('who gives no user name may read some topics and write some topics');
    expect(text).toContain('asks nobody for a password');
  });
});

/** A broker of its own, with its log in JSON. */
async function start(...lines: readonly string[]): Promise<{ command: Command; url: string }> {
  const config = write('dunlin.yaml', 'listen: mqtt://127.0.0.1:0', 'in_memory: true', ...lines);
  const command = await Command.start(folder, ['--config', config, '--log-format', 'json']);
  onTestFinished(() => command.kill());
  return { command, url: (await command.addresses())[0]! };
}

async function connect(url: string, options: object): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, ...options });
  onTestFinished(async () => {
    await client.endAsync(true);
  });
  return client;
}

test('MQTT.js is told what it may not, and what changes while it is there', async () => {
  const rules = write('rules.yaml', "- 'allow all # user=alice'", '- allow subscribe news');
  const { command, url } = await start('authorization:', `  rules_file: ${rules}`);
  const alice = await connect(url, { protocolVersion: 5, username: 'alice' });
  const bob = await connect(url, { protocolVersion: 5, username: 'bob' });
  await alice.publishAsync('news', 'x', { qos: 1 });
  await expect(bob.publishAsync('news', 'x', { qos: 1 })).rejects.toMatchObject({ code: 0x87 });
  await expect(bob.publishAsync('news', 'x', { qos: 2 })).rejects.toMatchObject({ code: 0x87 });
  expect((await bob.subscribeAsync('news', { qos: 1 }))[0]!.qos).toBe(1);
  const old = await connect(url, { protocolVersion: 4, username: 'bob' });
  await old.publishAsync('news', 'x', { qos: 1 });
  await expect(old.subscribeAsync('other')).rejects.toThrow();
  await command.says('"event":"access_denied"');
  expect(command.output).toContain('"rule":"default"');

  write('rules.yaml', "- 'allow publish #'");
  await command.says('"event":"access_rules_changed"');
  await command.says('"event":"subscription_revoked"');
  await bob.publishAsync('news', 'x', { qos: 1 });

  write('rules.yaml', '- permit publish a');
  await command.says('"event":"access_rules_refused"');
  await bob.publishAsync('news', 'x', { qos: 1 });
});

test('SIGHUP brings rules of the configuration, and leaves what is as it was', async () => {
  const { command, url } = await start('authorization: { rules: allow publish a }');
  const client = await connect(url, { protocolVersion: 5 });
  await expect(client.publishAsync('b', 'x', { qos: 1 })).rejects.toMatchObject({ code: 0x87 });
  const lines = ['listen: mqtt://127.0.0.1:0', 'in_memory: true'];
  write('dunlin.yaml', ...lines, 'authorization: { rules: allow publish b }');
  command.child.kill('SIGHUP');
  await command.says('"event":"access_rules_changed"');
  await client.publishAsync('b', 'x', { qos: 1 });
  await expect(client.publishAsync('a', 'x', { qos: 1 })).rejects.toMatchObject({ code: 0x87 });
});

test("who is in the file of Mosquitto's dynamic security logs in with its password", async () => {
  const client = (username: string, more: object): object => {
    const salt = Buffer.from('a grain');
    const password = pbkdf2Sync('secret', salt, 101, 64, 'sha512').toString('base64');
    return { username, password, salt: salt.toString('base64'), iterations: 101, ...more };
  };
  const acls = [{ acltype: 'publishClientSend', topic: 'up/#', allow: true }];
  const file = write(
    'dynamic-security.json',
    JSON.stringify({
      roles: [{ rolename: 'device', acls }],
      clients: [
        client('meter', { clientid: 'm1', roles: [{ rolename: 'device' }] }),
        client('gone', { disabled: true }),
      ],
    }),
  );
  const { url } = await start(
    `authentication: { dynamic_security_file: ${file} }`,
    `authorization: { dynamic_security_file: ${file} }`,
  );
  const as = (username: string, clientId: string, password = 'secret') =>
    connect(url, { protocolVersion: 5, username, clientId, password });
  const meter = await as('meter', 'm1');
  await meter.publishAsync('up/a', 'x', { qos: 1 });
  await expect(meter.publishAsync('a', 'x', { qos: 1 })).rejects.toMatchObject({ code: 0x87 });
  await expect(as('meter', 'm2')).rejects.toThrow();
  await expect(as('meter', 'm1', 'wrong')).rejects.toThrow();
  await expect(as('gone', 'g')).rejects.toThrow();
});

test('rates hold MQTT.js back, and all it sends arrives', async () => {
  const { command, url } = await start(
    'rates: { client: { messages: 10 }, burst_seconds: 1, listener: { connections: 100 } }',
  );
  const client = await connect(url, { protocolVersion: 5 });
  const received: string[] = [];
  client.on('message', (_topic, payload) => received.push(payload.toString()));
  await client.subscribeAsync('a', { qos: 1 });
  await Promise.all(
    Array.from({ length: 60 }, (_, i) => client.publishAsync('a', `${i}`, { qos: 1 })),
  );
  await command.says('"event":"rate_exceeded"');
  await expect.poll(() => received.length, { timeout: 90_000 }).toBe(60);
});

test('the command ends with 1 for what is denied', async () => {
  const config = write('dunlin.yaml', 'authorization: { rules: allow publish a }');
  const run = async (...args: string[]): Promise<readonly [number | null, string]> => {
    const command = await Command.start(folder, ['--config', config, 'acl', 'test', ...args]);
    return [await command.exitCode(), `${command.output}${command.errors}`];
  };
  expect(await run('publish', 'a')).toEqual([0, expect.stringContaining('dunlin.yaml:1: allow')]);
  expect(await run('publish', 'b')).toEqual([1, expect.stringContaining('denied: client test')]);
  expect(await run('publish', 'b', '--qos', '3')).toEqual([2, expect.stringContaining('--qos')]);
});
