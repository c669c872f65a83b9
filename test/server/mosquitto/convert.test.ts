import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { StartError } from '../../../src/server/exit-code.js';
import { loadConfig } from '../../../src/server/load-config.js';
import { importMosquittoConf } from '../../../src/server/mosquitto/import-command.js';

const folder = mkdtempSync(join(tmpdir(), 'dunlin-mosquitto-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function conf(...lines: string[]): string {
  const file = join(folder, `${files++}.conf`);
  writeFileSync(file, lines.join('\n'));
  return file;
}

async function load(...lines: string[]) {
  const notes: string[] = [];
  const config = await loadConfig({ config: conf(...lines) }, {}, (note) => notes.push(note));
  return { config, notes: notes.filter((note) => !note.includes('persistence: it is not there')) };
}

test('no listener: this machine alone', async () => {
  const { config, notes } = await load('# nothing', '', 'persistence true');
  expect(config.listen.map(({ url }) => url)).toMatchObject([
    { scheme: 'mqtt', host: '127.0.0.1', port: 1883 },
  ]);
  expect(config.inMemory).toBe(false);
  expect(notes).toEqual([]);
});

test('listeners with what is theirs', async () => {
  const { config, notes } = await load(
    'allow_anonymous true',
    'max_keepalive 600',
    'listener 1883',
    'socket_domain ipv4',
    'max_connections 50',
    'max_qos 1',
    'max_topic_alias 7',
    'max_topic_alias_broker 8',
    'mount_point site1/',
    'listener 9001 127.0.0.1',
    'protocol websockets',
    'max_connections -1',
    'websockets_origin https://a.example',
    'websockets_origin https://b.example',
  );
  expect(config.allowAnonymous).toBe(true);
  expect(config.limits.keepAliveSecondsMax).toBe(600);
  expect(config.listen).toMatchObject([
    {
      url: { scheme: 'mqtt', host: '0.0.0.0', port: 1883 },
      limits: {
        connectionsMax: 50,
        qosMax: 1,
        topicAliasMaximum: 7,
        outboundTopicAliasMaximum: 8,
      },
      mountPoint: 'site1/',
    },
    {
      url: { scheme: 'ws', host: '127.0.0.1', port: 9001 },
      limits: { connectionsMax: 1_000_000_000 },
      origins: ['https://a.example', 'https://b.example'],
    },
  ]);
  expect(notes).toEqual([]);
});

test('limits, with the words for none', async () => {
  const { config, notes } = await load(
    'max_inflight_messages 0',
    'max_queued_messages 0',
    'max_queued_bytes 0',
    'queue_qos0_messages true',
    'max_packet_size 4096',
    'retain_available false',
    'persistent_client_expiration 2w',
    'persistence false',
    'log_type warning',
    'log_type notice',
    'log_type error',
  );
  expect(config.limits).toMatchObject({
    legacyInFlightMax: 65_535,
    inFlightMax: 65_535,
    queuedMessagesMax: 1_000_000_000,
    queuedBytesMax: 2 ** 50,
    queueQoS0: true,
    packetBytesMax: 4096,
    retainAvailable: false,
    legacySessionExpirySeconds: 14 * 86_400,
  });
  expect(config).toMatchObject({ inMemory: true, logLevel: 'info' });
  expect(notes).toEqual([]);
});

test('message_size_limit bounds the packet, and says so', async () => {
  const { config, notes } = await load('message_size_limit 1000');
  expect(config.limits.packetBytesMax).toBe(1000 + 65_544);
  expect(notes).toEqual([expect.stringContaining(':1: message_size_limit: the limit is on whole')]);
});

test('TLS, client certificates and the port of old', () => {
  const { yaml, notes } = importMosquittoConf(
    conf(
      'port 8883',
      'bind_address 127.0.0.1',
      'cafile /etc/ca.crt',
      'certfile /etc/server.crt',
      'keyfile /etc/server.key',
      'crlfile /etc/revoked.pem',
      'require_certificate true',
      'use_identity_as_username true',
      'tls_version tlsv1.3',
      'password_file /etc/passwd file with spaces',
      'acl_file /etc/acl',
      'persistence true',
      'persistence_location /var/lib/mosquitto/',
    ),
  );
  expect(yaml).toContain(`listen:
  - url: mqtts://127.0.0.1:8883
    tls:
      ca: /etc/ca.crt
      certificate: /etc/server.crt
      key: /etc/server.key
      revocation_list: /etc/revoked.pem
      client_certificate: required
      user_name_from: cn
      versions:
        - "1.3"
`);
  expect(yaml).toContain('password_file: /etc/passwd file with spaces');
  expect(yaml).toContain('mosquitto_acl_file: /etc/acl');
  expect(yaml).toContain('data: /var/lib/mosquitto/dunlin');
  expect(notes).toEqual([expect.stringContaining('persistence_location')]);
});

test('per_listener_settings: who is anonymous where; one password file for all', async () => {
  const { config, notes } = await load(
    'per_listener_settings true',
    'listener 1883 127.0.0.1',
    'allow_anonymous true',
    'listener 1884 127.0.0.1',
    'allow_anonymous false',
    'password_file one',
    'listener 1885 127.0.0.1',
    'password_file two',
  );
  expect(config.listen.map(({ allowAnonymous }) => allowAnonymous)).toEqual([
    true,
    false,
    undefined,
  ]);
  expect(config.authentication.passwordFile).toBe('one');
  expect(notes).toEqual([expect.stringMatching(/:8: password_file: there is one such file.*two/)]);
});

test('dynamic security is read as it is; other plug-ins are named', async () => {
  const { config, notes } = await load(
    'plugin /usr/lib/mosquitto_dynamic_security.so',
    'plugin_opt_config_file /etc/dynamic-security.json',
    'auth_plugin /usr/lib/go-auth.so',
    'auth_opt_backends redis',
  );
  expect(config.authorization.dynamicSecurityFile).toBe('/etc/dynamic-security.json');
  expect(notes).toEqual([expect.stringContaining('auth_plugin: go-auth.so cannot be loaded')]);
});

test('include_dir is read in its place, in order', async () => {
  const inner = join(folder, 'conf.d');
  mkdirSync(inner);
  writeFileSync(join(inner, 'b.conf'), 'max_keepalive 200');
  writeFileSync(join(inner, 'a.conf'), 'max_keepalive 100\nmax_queued_messages 5');
  writeFileSync(join(inner, 'ignored.txt'), 'max_queued_messages 6');
  const { config } = await load(`include_dir ${inner}`);
  expect(config.limits).toMatchObject({ keepAliveSecondsMax: 200, queuedMessagesMax: 5 });
});

test('what has no equivalent is named with its line, harmless lines are not', async () => {
  const { notes } = await load(
    'user mosquitto',
    'autosave_interval 60',
    'set_tcp_nodelay true',
    'upgrade_outgoing_qos true',
    'sys_interval 10',
    'retain_expiry_interval 5',
    'max_inflight_mesages 3',
    'connection office',
    'address 10.0.0.9',
    'topic # both 1',
    'remote_username me',
    'connection second',
  );
  expect(notes.map((note) => note.replace(/^.*\.conf:/, ''))).toEqual([
    expect.stringMatching(/^1: user: /),
    expect.stringMatching(/^4: upgrade_outgoing_qos: /),
    expect.stringMatching(/^5: sys_interval: counters are no topics under \$SYS/),
    '7: max_inflight_mesages: is no option of Mosquitto that is known here; ' +
      'did you mean max_inflight_messages?',
    '8: connection: bridges are not made yet: office is left out as a whole',
    '12: connection: bridges are not made yet: second is left out as a whole',
  ]);
});

test('wrong values are told with the line of the mosquitto.conf', async () => {
  const file = conf('listener 1883 127.0.0.1', 'max_qos 3', 'persistent_client_expiration 5x');
  const error = await loadConfig({ config: file }, {}).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StartError);
  expect((error as StartError).sentences).toEqual([
    `${file}:3: persistent_client_expiration: expected a number with h, d, w, m or y`,
    `${file}:2: max_qos: expected a whole number from 0 to 2, not "3"`,
  ]);
});

test('a listener open to the network with nobody let in does not start', async () => {
  const error = await loadConfig({ config: conf('listener 1883') }, {}).catch((e: unknown) => e);
  expect((error as StartError).sentences.join()).toContain('other machines');
});

test('Client Identifiers: what they begin with, and clients without one', async () => {
  const { config, notes } = await load(
    'allow_zero_length_clientid false',
    'auto_id_prefix guest-',
    'clientid_prefixes house-',
  );
  expect(config.limits).toMatchObject({
    clientIdentifierRequired: true,
    assignedClientIdentifierPrefix: 'guest-',
    clientIdentifierPrefixes: ['house-'],
  });
  expect(notes).toEqual([]);
  const each = await load(
    'per_listener_settings true',
    'listener 1883 127.0.0.1',
    'allow_zero_length_clientid true',
    'listener 1884 127.0.0.1',
    'allow_zero_length_clientid false',
    'auto_id_prefix guest-',
  );
  expect(each.config.listen).toMatchObject([
    { limits: { clientIdentifierRequired: false } },
    { limits: { clientIdentifierRequired: true, assignedClientIdentifierPrefix: 'guest-' } },
  ]);
  expect(each.config.limits.clientIdentifierRequired).toBe(false);
});

test('a packet limit below the least one is raised, and says so', async () => {
  const { config, notes } = await load('max_packet_size 200');
  expect(config.limits.packetBytesMax).toBe(1024);
  expect(notes).toEqual([expect.stringContaining(':1: max_packet_size: the least limit is 1024')]);
});

const EVERYTHING = `
per_listener_settings false
allow_anonymous false
password_file /etc/users
acl_file /etc/acl
persistence true
persistence_location /var/lib/mosquitto/
max_inflight_messages 20
max_queued_messages 100
max_queued_bytes 0
queue_qos0_messages true
max_packet_size 4096
message_size_limit 0
max_keepalive 600
retain_available false
retain_expiry_interval 5
persistent_client_expiration 2m
allow_zero_length_clientid false
auto_id_prefix auto-
clientid_prefixes auto-
upgrade_outgoing_qos true
sys_interval 10
port 8883
bind_address 127.0.0.1
max_connections 50
cafile /etc/ca.crt
certfile /etc/server.crt
keyfile /etc/server.key
require_certificate true
use_identity_as_username true
listener 9001 127.0.0.1
protocol websockets
websockets_origin https://a.example
max_topic_alias 7
max_topic_alias_broker 8
max_qos 1
mount_point site1/
listener 0 /run/mosquitto.sock
`;

test('what is imported says the same as the file itself, and loads', async () => {
  const file = conf(...EVERYTHING.trim().split('\n'));
  const { yaml, notes } = importMosquittoConf(file);
  const imported = join(folder, 'imported.yaml');
  writeFileSync(imported, yaml);
  expect(await loadConfig({ config: imported }, {})).toEqual(
    await loadConfig({ config: file }, {}),
  );
  expect(notes.map((note) => note.split(': ')[1])).toEqual([
    'persistence_location',
    'upgrade_outgoing_qos',
    'sys_interval',
  ]);
});

test('a client certificate as the user name is a way to come in', async () => {
  const { config, notes } = await load(
    'listener 8883',
    'cafile /etc/ca.crt',
    'certfile /etc/server.crt',
    'keyfile /etc/server.key',
    'require_certificate true',
    'use_identity_as_username true',
  );
  expect(config.listen[0]!.tls).toMatchObject({ userNameFrom: 'cn' });
  expect(notes).toEqual([]);
});
