import { type ChildProcess, spawn } from 'node:child_process';
import { pbkdf2Sync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import mqtt, { type MqttClient } from 'mqtt';
import { expect, test } from 'vitest';
import { silentLogger } from '../../src/base/log.js';
import { accessRules } from '../../src/extensions/access-control/access-rules.js';
import { DenialLog } from '../../src/extensions/access-control/denial-log.js';
import { DynamicSecuritySource } from '../../src/extensions/access-control/dynamic-security.js';
import { readDynamicSecurity } from '../../src/extensions/access-control/dynamic-security-file.js';
import { readMosquittoAcl } from '../../src/extensions/access-control/mosquitto-acl.js';
import type { RuleSource } from '../../src/extensions/access-control/rule-source.js';
import { RuledAccess } from '../../src/extensions/access-control/ruled-access.js';
import { DENIED } from '../../src/session/client-access.js';
import { Statistics } from '../../src/session/statistics.js';
import { matches } from '../../src/topic/topic-filter.js';
import { connectWhenOpen, freePort } from '../support/ports.js';

const PLUGIN = '/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so';
const ROUNDS = 40;
const PASSWORD = 'secret';

/** Who asks: the last one has characters that Mosquitto finds dangerous in patterns. */
const people = [
  { username: 'alice', clientId: 'a1' },
  { username: 'bob', clientId: 'b1' },
  { username: undefined, clientId: 'c1' },
  { username: 'alice', clientId: 'x/y' },
] as const;

const topics = [
  'a',
  'b',
  'a/b',
  'a/b/c',
  'b/a',
  'alice',
  'alice/a',
  'bob/a',
  'a1',
  'a/a1',
  'u/alice/b1',
  'x/y/a',
];
const filters = [...topics.slice(0, 6), '#', '+', 'a/#', 'a/+', '+/a', '+/+', 'alice/#', 'a/b/#'];
const pattern = fc.constantFrom(...filters, 'u/+/b1', 'b/#');

/** What one of them was seen to be allowed, or is by our reading of the same file. */
interface Seen {
  readonly published: readonly string[];
  readonly received: readonly string[];
  readonly subscribed: readonly string[];
  readonly unsubscribed: readonly string[];
}

/** The rival, with the rules of one round. */
class Mosquitto {
  readonly #folder = mkdtempSync(join(tmpdir(), 'dunlin-rival-'));
  readonly #file: string;
  #child: ChildProcess | undefined = undefined;
  #port = 0;

  constructor(text: string) {
    this.#file = join(this.#folder, 'rules');
    writeFileSync(this.#file, text);
  }

  async start(settings: (file: string) => readonly string[]): Promise<void> {
    this.#port = await freePort();
    const lines = ['user root', `listener ${this.#port} 127.0.0.1`, ...settings(this.#file)];
    const configuration = join(this.#folder, 'mosquitto.conf');
    writeFileSync(configuration, `${lines.join('\n')}\n`);
    this.#child = spawn('/usr/sbin/mosquitto', ['-c', configuration], { stdio: 'ignore' });
    (await connectWhenOpen(this.#port)).destroy();
  }

  async stop(): Promise<void> {
    if (this.#child !== undefined && this.#child.exitCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  connect(username: string | undefined, clientId: string): Promise<MqttClient> {
    return mqtt.connectAsync(`mqtt://127.0.0.1:${this.#port}`, {
      protocolVersion: 5,
      reconnectPeriod: 0,
      clientId,
      ...(username !== undefined && { username, password: PASSWORD }),
    });
  }

  /** Asks for everything as one of them, with `root` as publisher of what may be received. */
  async see(username: string | undefined, clientId: string, root: MqttClient): Promise<Seen> {
    const client = await this.connect(username, clientId);
    try {
      const published = await allowed(topics, (topic) => published5(client, topic));
      const subscribed = await allowed(filters, async (filter) => {
        const [grant] = await client.subscribeAsync(filter, { qos: 0 }).catch(() => []);
        return grant !== undefined && grant.qos < 0x80;
      });
      const received = new Set<string>();
      client.on('message', (topic) => received.add(topic));
      for (const topic of topics) await root.publishAsync(topic, 'x', { qos: 1 });
      // An answer comes behind what was sent before it.
      await client.subscribeAsync('behind').catch(() => {});
      const unsubscribed = await allowed(filters, async (filter) => {
        const packet = await client.unsubscribeAsync(filter);
        const { granted } = packet as unknown as { readonly granted: readonly number[] };
        return granted[0]! < 0x80;
      });
      return {
        published,
        received: topics.filter((topic) => received.has(topic)),
        subscribed,
        unsubscribed,
      };
    } finally {
      await client.endAsync(true);
    }
  }
}

function published5(client: MqttClient, topic: string): Promise<boolean> {
  return client.publishAsync(topic, 'y', { qos: 1 }).then(
    (packet) => ((packet as { reasonCode?: number } | undefined)?.reasonCode ?? 0) < 0x80,
    () => false,
  );
}

async function allowed(
  all: readonly string[],
  isAllowed: (one: string) => Promise<boolean>,
): Promise<string[]> {
  const found: string[] = [];
  for (const one of all) if (await isAllowed(one)) found.push(one);
  return found;
}

function ours(source: RuleSource, userName: string | undefined, clientIdentifier: string): Seen {
  const rules = accessRules({
    rules: [],
    evaluation: 'first',
    imported: [source],
    byDefault: 'deny',
    wildcardSubscriptions: 'filter',
    deniedPublish: 'drop',
    revokedSubscriptions: 'remove',
  });
  const denials = new DenialLog(silentLogger, { nowMs: 0, wallMs: () => 0 }, new Statistics());
  const unknown = { groups: [], host: '127.0.0.1', listener: '', claims: {}, isComplete: true };
  const facts = { userName, clientIdentifier, ...unknown };
  const access = new RuledAccess(facts, rules, undefined, denials);
  const subscribed = filters.filter((filter) => access.subscribe(filter).qosMax !== DENIED);
  return {
    published: topics.filter((topic) => access.mayPublish(topic, 1, false)),
    received: topics.filter(
      (topic) =>
        access.receiveQoS(topic) !== DENIED && subscribed.some((filter) => matches(filter, topic)),
    ),
    subscribed,
    unsubscribed: filters.filter((filter) => access.mayUnsubscribe(filter)),
  };
}

const aclLine = fc
  .tuple(
    fc.constantFrom('topic', 'topic', 'topic', 'pattern', 'user alice', 'user bob'),
    fc.constantFrom('', 'read ', 'write ', 'readwrite ', 'deny '),
    fc.oneof(pattern, fc.constantFrom('%u/#', 'a/%c', 'u/%u/%c', '%c/a')),
  )
  .map(([word, access, topic]) => (word.startsWith('user') ? word : `${word} ${access}${topic}`));

test("Mosquitto's ACL files allow the same here as there", async () => {
  const files = fc.sample(fc.array(aclLine, { minLength: 1, maxLength: 14 }), {
    numRuns: ROUNDS,
    seed: 20,
  });
  let [allowedCount, deniedCount] = [0, 0];
  for (const lines of files) {
    const text = `${[...lines, 'user root', 'topic readwrite #'].join('\n')}\n`;
    const { source, faults } = readMosquittoAcl(text, 'acl');
    expect(faults).toEqual([]);
    const rival = new Mosquitto(text);
    try {
      await rival.start((file) => ['allow_anonymous true', `acl_file ${file}`]);
      const root = await rival.connect('root', 'root');
      for (const { username, clientId } of people) {
        const theirs = await rival.see(username, clientId, root);
        const here = ours(source, username, clientId);
        // Mosquitto grants every subscription and leaves out the messages; here one that could
        // never bring any is refused.
        const { published, received } = here;
        const what = `${username} as ${clientId} by\n${text}`;
        expect({ what, published, received }).toEqual({
          what,
          published: theirs.published,
          received: theirs.received,
        });
        expect(theirs.subscribed).toEqual(filters);
        allowedCount += published.length + received.length;
        deniedCount += 2 * topics.length - published.length - received.length;
      }
      await root.endAsync(true);
    } finally {
      await rival.stop();
    }
  }
  expect(Math.min(allowedCount, deniedCount)).toBeGreaterThan(100);
}, 400_000);

const acl = fc.record({
  acltype: fc.constantFrom(
    'publishClientSend',
    'publishClientReceive',
    'subscribeLiteral',
    'subscribePattern',
    'unsubscribeLiteral',
    'unsubscribePattern',
  ),
  topic: pattern,
  priority: fc.integer({ min: -1, max: 3 }),
  allow: fc.boolean(),
});
const roleNames = ['r1', 'r2', 'r3'];
const someRoles = fc.uniqueArray(fc.constantFrom(...roleNames), { maxLength: 2 }).chain((names) =>
  fc.tuple(
    ...names.map((rolename) =>
      fc.record({
        rolename: fc.constant(rolename),
        priority: fc.integer({ min: 0, max: 3 }),
      }),
    ),
  ),
);
const security = fc.record({
  defaults: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean()),
  // Two of one type and priority have no order of their own.
  acls: fc.tuple(
    ...roleNames.map(() =>
      fc.uniqueArray(acl, {
        maxLength: 6,
        selector: ({ acltype, priority }) => `${acltype} ${priority}`,
      }),
    ),
  ),
  alice: someRoles,
  bob: someRoles,
  group: someRoles,
  strangers: someRoles,
});

function password(): object {
  const salt = Buffer.from('twelve bytes');
  const hash = pbkdf2Sync(PASSWORD, salt, 101, 64, 'sha512');
  return { password: hash.toString('base64'), salt: salt.toString('base64'), iterations: 101 };
}

function securityFile(written: typeof security extends fc.Arbitrary<infer T> ? T : never): string {
  const [send, receive, subscribe, unsubscribe] = written.defaults;
  const types = ['publishClientSend', 'publishClientReceive', 'subscribePattern'];
  const everything = types.map((acltype) => ({ acltype, topic: '#', priority: 0, allow: true }));
  return JSON.stringify({
    defaultACLAccess: {
      publishClientSend: send,
      publishClientReceive: receive,
      subscribe,
      unsubscribe,
    },
    clients: [
      { username: 'root', ...password(), roles: [{ rolename: 'root', priority: 0 }] },
      { username: 'alice', ...password(), roles: written.alice },
      { username: 'bob', ...password(), roles: written.bob },
    ],
    groups: [
      { groupname: 'g', roles: written.group, clients: [{ username: 'bob', priority: 1 }] },
      { groupname: 'strangers', roles: written.strangers, clients: [] },
    ],
    roles: [
      { rolename: 'root', acls: everything },
      ...roleNames.map((rolename, i) => ({ rolename, acls: written.acls[i] })),
    ],
    anonymousGroup: 'strangers',
  });
}

test('the files of its dynamic security plugin allow the same here as there', async () => {
  let [allowedCount, deniedCount] = [0, 0];
  for (const written of fc.sample(security, { numRuns: ROUNDS, seed: 21 })) {
    const text = securityFile(written);
    const file = readDynamicSecurity(text, 'dynamic-security.json');
    expect(file.faults).toEqual([]);
    const source = new DynamicSecuritySource(file);
    const rival = new Mosquitto(text);
    try {
      await rival.start((path) => [
        'allow_anonymous true',
        `plugin ${PLUGIN}`,
        `plugin_opt_config_file ${path}`,
      ]);
      const root = await rival.connect('root', 'root');
      for (const { username, clientId } of people) {
        const theirs = await rival.see(username, clientId, root);
        const here = ours(source, username, clientId);
        const what = `${username} as ${clientId} by\n${text}`;
        expect({ what, published: here.published }).toEqual({ what, published: theirs.published });
        expect({ what, unsubscribed: here.unsubscribed }).toEqual({
          what,
          unsubscribed: theirs.unsubscribed,
        });
        expect({ what, received: here.received }).toEqual({ what, received: theirs.received });
        // Where nothing at all may be received a subscription is refused here, there it is silent.
        const lost = theirs.subscribed.filter((filter) => !here.subscribed.includes(filter));
        for (const filter of lost) {
          expect(theirs.received.filter((topic) => matches(filter, topic))).toEqual([]);
        }
        expect(here.subscribed.filter((one) => !theirs.subscribed.includes(one))).toEqual([]);
        allowedCount += theirs.published.length + theirs.subscribed.length;
        deniedCount += topics.length - theirs.published.length;
      }
      await root.endAsync(true);
    } finally {
      await rival.stop();
    }
  }
  expect(Math.min(allowedCount, deniedCount)).toBeGreaterThan(50);
}, 400_000);
