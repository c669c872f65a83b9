import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Config } from '../../src/server/config.js';
import type { Flags } from '../../src/server/config-source.js';
import { StartError } from '../../src/server/exit-code.js';
import { ListenerPolicies } from '../../src/server/listener-policies.js';
import { loadConfig } from '../../src/server/load-config.js';
import { defaultLimits } from '../../src/session/limits.js';

const folder = mkdtempSync(join(tmpdir(), 'dunlin-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): string {
  const file = join(folder, 'dunlin.yaml');
  writeFileSync(file, text);
  return file;
}

function fromYaml(
  text: string,
  environment: NodeJS.ProcessEnv = {},
  flags: Flags = {},
): Promise<Config> {
  return loadConfig({ ...flags, config: fileWith(text) }, environment);
}

async function faultsOf(load: () => Promise<unknown>): Promise<string[]> {
  try {
    await load();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    expect(error.exitCode).toBe(2);
    return error.sentences.map((sentence) => sentence.replace(`${folder}/`, ''));
  }
  throw new Error('nothing was wrong');
}

test('without anything it listens on this machine alone and keeps data', async () => {
  const config = await loadConfig({}, {});
  expect(config.listen.map(({ url }) => url)).toEqual([
    { scheme: 'mqtt', host: '127.0.0.1', port: 1883, path: '' },
    { scheme: 'ws', host: '127.0.0.1', port: 8080, path: '/mqtt' },
  ]);
  expect(config).toMatchObject({ data: './dunlin-data', inMemory: false, durability: 'power' });
  expect(config.limits).toEqual(defaultLimits);
});

test('a file sets everything, with units', async () => {
  const config = await fromYaml(`
listen:
  - mqtt://localhost
  - url: ws://[::1]:80/
    lenient_receive_maximum: yes
    versions: [3.1, 3.1.1, 5]
    origins: [https://example.org]
data: /srv/dunlin
durability: process
allow_anonymous: true
log_level: debug
log_format: json
limits:
  packet_bytes_max: 2MB
  outbox_bytes_max: 64KiB
  queued_messages_max: 1_000
  connect_seconds_max: 30s
  session_expiry_seconds_max: 2w
  keep_alive_seconds_max: 5m
  queue_qos0: true
  qos_max: 1
  queue_overflow: refuse
`);
  expect(config.listen).toMatchObject([
    {
      url: { scheme: 'mqtt', host: 'localhost', port: 1883, path: '' },
      lenientReceiveMaximum: false,
      versions: [3, 4, 5],
    },
    {
      url: { scheme: 'ws', host: '::1', port: 80, path: '/mqtt' },
      lenientReceiveMaximum: true,
      versions: [3, 4, 5],
      origins: ['https://example.org'],
    },
  ]);
  expect(config).toMatchObject({
    data: '/srv/dunlin',
    durability: 'process',
    allowAnonymous: true,
    logLevel: 'debug',
    logFormat: 'json',
  });
  expect(config.limits).toEqual({
    ...defaultLimits,
    packetBytesMax: 2_000_000,
    outboxBytesMax: 65_536,
    queuedMessagesMax: 1000,
    connectSecondsMax: 30,
    sessionExpirySecondsMax: 1_209_600,
    keepAliveSecondsMax: 300,
    queueQoS0: true,
    qosMax: 1,
    queueOverflow: 'refuse',
  });
});

test('flags weigh more than the environment, that more than the file', async () => {
  const yaml = 'durability: process\ndata: file\nlimits: { in_flight_max: 5, receive_maximum: 6 }';
  const environment = {
    DUNLIN_DATA: 'environment',
    DUNLIN_LOG_LEVEL: 'warn',
    DUNLIN_LIMITS__RECEIVE_MAXIMUM: '7',
    DUNLIN_LISTEN: 'mqtt://127.0.0.1:1, ws://127.0.0.1:2',
    DUNLIN_PORT_1883_TCP: 'tcp://10.0.0.1:1883',
    PATH: '/bin',
  };
  const config = await fromYaml(yaml, environment, { logLevel: 'error', data: undefined });
  expect(config).toMatchObject({ durability: 'process', data: 'environment', logLevel: 'error' });
  expect(config.limits).toMatchObject({ inFlightMax: 5, receiveMaximum: 7 });
  expect(config.listen.map(({ url }) => url.port)).toEqual([1, 2]);
  const flagged = await fromYaml(yaml, environment, { listen: ['mqtt://127.0.0.1:3'] });
  expect(flagged.listen.map(({ url }) => url.port)).toEqual([3]);
});

test('the environment can name the file', async () => {
  const config = fileWith('durability: process');
  expect((await loadConfig({}, { DUNLIN_CONFIG: config })).durability).toBe('process');
});

test('every fault of a file is told at once, each with line and column', async () => {
  const text = `durabilty: power
durability: fast
listen:
  - tls://127.0.0.1:8883
  - url: mqtt://127.0.0.1:99999
    version: [5]
  - versions: [4]
limits:
  packet_bytes: 3
  packet_bytes_max: 3 litres
  connect_seconds_max: 0s
  queue_qos0: maybe
data: 7
`;
  expect(await faultsOf(() => fromYaml(text))).toEqual([
    'dunlin.yaml:1:1: there is no setting durabilty; did you mean durability?',
    'dunlin.yaml:6:5: there is no setting listen[1].version; did you mean listen[1].versions?',
    'dunlin.yaml:9:3: there is no setting limits.packet_bytes; ' +
      'did you mean limits.packet_bytes_max?',
    'dunlin.yaml:4:5: listen[0]: tls:// is unknown; there are mqtt, mqtts, ws, wss, unix and ' +
      'systemd, so write mqtts in its place, not "tls://127.0.0.1:8883"',
    'dunlin.yaml:5:10: listen[1].url: expected a host and a port from 0 to 65535, ' +
      'such as mqtt://127.0.0.1:1883, not "mqtt://127.0.0.1:99999"',
    'dunlin.yaml:7:5: listen[2]: url is missing: expected a URL such as mqtt://127.0.0.1:1883 or ' +
      'ws://127.0.0.1:8080/mqtt',
    'dunlin.yaml:7:16: listen[2].versions[0]: expected 3.1, 3.1.1 or 5.0, not 4',
    'dunlin.yaml:13:7: data: expected a folder, not 7',
    'dunlin.yaml:2:13: durability: expected power, process or memory, not "fast"',
    'dunlin.yaml:10:21: limits.packet_bytes_max: expected a size from 1024 to 268435455 bytes, ' +
      'such as 64KiB, 2MB or 4096, not "3 litres"',
    'dunlin.yaml:11:24: limits.connect_seconds_max: expected a time from 1 to 3600 whole seconds, ' +
      'such as 30s, 5m, 12h, 7d or 90, not "0s"',
    'dunlin.yaml:12:15: limits.queue_qos0: expected true or false, not "maybe"',
  ]);
});

test('faults of flags and of the environment name them', async () => {
  const environment = { DUNLIN_DURABILTY: 'power', DUNLIN_LIMITS__QOS_MAX: '3' };
  expect(
    await faultsOf(() => loadConfig({ logLevel: 'loud', listen: ['1883'] }, environment)),
  ).toEqual([
    'DUNLIN_DURABILTY: there is no setting DUNLIN_DURABILTY; did you mean DUNLIN_DURABILITY?',
    '--listen: expected a URL such as mqtt://127.0.0.1:1883 or ws://127.0.0.1:8080/mqtt, not "1883"',
    '--log-level: expected debug, info, warn, error or silent, not "loud"',
    'DUNLIN_LIMITS__QOS_MAX: expected a whole number from 0 to 2, not "3"',
  ]);
});

test.each([
  ['data: [', /^dunlin\.yaml:1:\d+: /],
  ['data: a\ndata: b', /^dunlin\.yaml:2:1: .*unique/],
  ['just words', /^dunlin\.yaml:1:1: expected settings/],
  ['limits: 5', /^dunlin\.yaml:1:9: limits: expected/],
  ['listen: []', /^dunlin\.yaml:1:9: listen: expected at least one URL/],
  ['listen: [7]', /^dunlin\.yaml:1:10: listen\[0\]: expected a URL/],
  ['data: a\n---\ndata: b', /^dunlin\.yaml:2:1: a second document/],
  ['limits:\n\tqos_max: 1', /^dunlin\.yaml:2:1: a tab stands in front/],
  ['limits.qos_max: 1', /^dunlin\.yaml:1:1: limits.qos_max takes a line for each step: qos_max/],
])('%j is told with its place', async (text, expected) => {
  const faults = await faultsOf(() => fromYaml(text));
  expect(faults.length).toBe(1);
  expect(faults[0]).toMatch(expected);
});

test('an empty file is no fault, a missing one is', async () => {
  expect((await fromYaml('# nothing yet\n')).durability).toBe('power');
  const missing = join(folder, 'missing.yaml');
  expect((await faultsOf(() => loadConfig({ config: missing }, {})))[0]).toContain(
    'cannot be read',
  );
});

test('what can be reached from other machines must be opened in so many words', async () => {
  const listen = ['mqtt://0.0.0.0:1883', 'ws://[::]:8080', 'mqtt://127.0.0.1:1884', 'mqtt://[::1]'];
  const faults = await faultsOf(() => loadConfig({ listen }, {}));
  expect(faults.length).toBe(2);
  expect(faults[0]).toContain('mqtt://0.0.0.0:1883 can be reached from other machines');
  expect(faults[0]).toContain('--allow-anonymous');
  expect((await loadConfig({ listen, allowAnonymous: true }, {})).listen.length).toBe(4);
  expect((await loadConfig({ listen }, { DUNLIN_ALLOW_ANONYMOUS: 'true' })).allowAnonymous).toBe(
    true,
  );
});

test('keys of a listener that do not go with its URL are told with their place', async () => {
  const text = `listen:
  - { url: mqtts://127.0.0.1:0 }
  - url: mqtt://127.0.0.1:0
    tls: { certificate: a.pem, key: a.key }
    trusted_proxies: [10.0.0.0/8]
    socket_mode: '0660'
    origins: ['https://x.y']
`;
  const faults = await faultsOf(() => fromYaml(text));
  expect(faults.map((fault) => fault.split(': ').slice(0, 2).join(' '))).toEqual([
    'dunlin.yaml:2:5 listen[0].tls',
    'dunlin.yaml:4:10 listen[1].tls',
    'dunlin.yaml:5:22 listen[1].trusted_proxies',
    'dunlin.yaml:7:14 listen[1].origins',
    'dunlin.yaml:6:18 listen[1].socket_mode',
  ]);
  expect(faults[0]).toContain('is missing: mqtts needs a certificate and its key, or a psk_file');
  expect(await faultsOf(() => loadConfig({ listen: ['wss://127.0.0.1:0'] }, {}))).toEqual([
    '--listen: listen[0].tls: is missing: wss needs a certificate and its key, or a psk_file',
  ]);
});

test('a promise to keep messages and keeping nothing contradict each other', async () => {
  const faults = await faultsOf(() =>
    loadConfig({ inMemory: true }, { DUNLIN_DURABILITY: 'power' }),
  );
  expect(faults[0]).toMatch(/^DUNLIN_DURABILITY: power promises .* --in-memory keeps nothing/);
  expect((await loadConfig({ inMemory: true, durability: 'memory' }, {})).inMemory).toBe(true);
});

test('a secret that is written wrong is not repeated', async () => {
  const text = 'authentication:\n  jwt: { algorithms: HS256, secret: 12345678 }\n';
  expect(await faultsOf(() => fromYaml(text))).toEqual([
    'dunlin.yaml:2:37: authentication.jwt.secret: expected a secret of 32 bytes or more, as text, in quotes',
  ]);
});

test('a rule of devices finds its listener however its URL is written', async () => {
  const { devices } = await fromYaml(
    [
      'devices:',
      '  - match: { listener: mqtt://localhost }',
      '  - match: { listener: ws://127.0.0.1:8080 }',
      '  - match: { listener: mqtt://127.0.0.1:0 }',
      '  - match: { listener: mqtts://* }',
      '  - match: { listener: unix:/run/dunlin.sock }',
    ].join('\n'),
  );
  expect(devices.map(({ match }) => match.listener)).toEqual([
    'mqtt://localhost:1883',
    'ws://127.0.0.1:8080/mqtt',
    'mqtt://127.0.0.1:*',
    'mqtts://*',
    'unix:/run/dunlin.sock',
  ]);
  const wrong = 'devices:\n  - match: { listener: nowhere }\n';
  const [fault] = await faultsOf(() => fromYaml(wrong));
  expect(fault).toMatch(/^dunlin\.yaml:2:\d+: devices\[0\]\.match\.listener: expected a URL/);
});

test('a listener has its own words on guessing', async () => {
  const config = await fromYaml(
    'listen:\n  - url: mqtt://127.0.0.1\n    guessing: { delay_seconds_max: 0 }\n  - mqtt://127.0.0.1:1884\n',
  );
  const policies = new ListenerPolicies(config);
  expect(policies.of('mqtt://127.0.0.1:1883').guessing).toEqual({ delaySecondsMax: 0 });
  expect(policies.of('mqtt://127.0.0.1:1884').guessing).toEqual({});
});
