import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startBroker } from '../support/broker-process.js';
import { ChildProgram } from '../support/child-program.js';
import type { BrokerProcess } from '../support/supervised-process.js';

const versions = ['mqttv31', 'mqttv311', 'mqttv5'] as const;
const matrix = versions.flatMap((version) => ([0, 1, 2] as const).map((qos) => ({ version, qos })));

let broker: BrokerProcess;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.stop());

function run(program: string, args: readonly string[]): ChildProgram {
  const address = ['-h', '127.0.0.1', '-p', `${broker.port}`];
  // Without stdbuf these programs keep back what they say until their buffer is full.
  const child = new ChildProgram('stdbuf', ['-oL', program, ...address, ...args]);
  onTestFinished(() => child.kill());
  return child;
}

async function publish(...args: string[]): Promise<void> {
  await run('mosquitto_pub', args).succeed();
}

/** Starts mosquitto_sub and waits until it is subscribed, which it tells with -d. */
async function subscribed(...args: string[]): Promise<ChildProgram> {
  const child = run('mosquitto_sub', ['-d', ...args]);
  await child.takeUntil('Subscribed');
  return child;
}

/** The payloads of the next messages, without what -d says in between. */
async function payloads(child: ChildProgram, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const line = (await child.take(1))[0]!;
    if (line.startsWith('=')) texts.push(line.slice(1));
  }
  return texts;
}

test.each(matrix)('pub and sub, $version, QoS $qos', async ({ version, qos }) => {
  const topic = `pub/${version}/${qos}`;
  const level = ['-V', version, '-q', `${qos}`];
  const subscriber = await subscribed(...level, '-t', topic, '-F', '=%t %q %r %p');
  await publish(...level, '-t', topic, '-m', 'hello');
  expect(await payloads(subscriber, 1)).toEqual([`${topic} ${qos} 0 hello`]);
});

test.each(matrix)('retained, $version, QoS $qos', async ({ version, qos }) => {
  const topic = `kept/${version}/${qos}`;
  const level = ['-V', version, '-q', `${qos}`];
  await publish(...level, '-t', topic, '-m', 'state', '-r');
  const late = await subscribed(...level, '-t', `kept/${version}/+`, '-F', '=%t %q %r %p');
  expect(await payloads(late, 1)).toEqual([`${topic} ${qos} 1 state`]);
  await publish(...level, '-t', topic, '-n', '-r');
  const later = await subscribed(...level, '-t', `kept/${version}/#`, '-F', '=%r %p');
  await publish(...level, '-t', topic, '-m', 'live');
  expect(await payloads(later, 1)).toEqual(['0 live']);
});

test.each(matrix)('a session waits through a restart, $version, QoS $qos', async (row) => {
  const { version, qos } = row;
  const topic = `waits/${version}/${qos}`;
  const expiry = version === 'mqttv5' ? ['-x', '3600'] : [];
  const session = ['-V', version, '-q', `${qos}`, '-c', '-i', `waits-${version}-${qos}`, ...expiry];
  await run('mosquitto_sub', [...session, '-E', '-t', topic]).succeed();
  for (const text of ['one', 'two', 'three']) {
    await publish('-V', version, '-q', `${qos}`, '-t', topic, '-m', text);
  }
  await broker.kill();
  await broker.restart();
  // What is published at QoS 0 to somebody who is away is not kept.
  const kept = qos === 0 ? [] : ['one', 'two', 'three'];
  // What waited may come before the SUBACK.
  const back = run('mosquitto_sub', ['-d', ...session, '-t', topic, '-F', '=%p']);
  const early = (await back.takeUntil('Subscribed')).filter((line) => line.startsWith('='));
  await publish('-V', version, '-q', `${qos}`, '-t', topic, '-m', 'live');
  const later = await payloads(back, kept.length + 1 - early.length);
  expect([...early.map((line) => line.slice(1)), ...later]).toEqual([...kept, 'live']);
});

test.each(versions)('the will of a killed client, %s', async (version) => {
  const topic = `will/${version}`;
  const observer = await subscribed('-V', version, '-q', '1', '-t', topic, '-F', '=%p');
  const will = ['--will-topic', topic, '--will-payload', 'gone', '--will-qos', '1'];
  const client = await subscribed('-V', version, '-t', 'nothing', ...will);
  client.kill();
  expect(await payloads(observer, 1)).toEqual(['gone']);
});

test('publish and subscribe properties in MQTT 5', async () => {
  const format = '=%q %r %C %R %D %P %E %F %p';
  const all = ['-V', 'mqttv5', '-q', '1', '-t', 'properties'];
  const subscriber = await subscribed(...all, '-F', format);
  const property = (name: string, ...value: string[]) => ['-D', 'publish', name, ...value];
  await publish(
    ...all,
    '-m',
    'text',
    ...property('content-type', 'text/plain'),
    ...property('response-topic', 'answer/here'),
    ...property('correlation-data', 'id-7'),
    ...property('user-property', 'one', '1'),
    ...property('user-property', 'two', '2'),
    ...property('message-expiry-interval', '100'),
    ...property('payload-format-indicator', '1'),
  );
  const [line] = await payloads(subscriber, 1);
  expect(line).toMatch(/^1 0 text\/plain answer\/here id-7 one:1 two:2 (100|99) 1 text$/);
});

test('mosquitto_rr asks and gets its answer', async () => {
  const responder = await subscribed('-V', 'mqttv5', '-t', 'ask/time', '-F', '=%R %D %p');
  const asking = ['-V', 'mqttv5', '-t', 'ask/time', '-e', 'answer/time', '-m', 'what time'];
  const requester = run('mosquitto_rr', [...asking, '-D', 'publish', 'correlation-data', 'c1']);
  const [question] = await payloads(responder, 1);
  expect(question).toBe('answer/time c1 what time');
  await publish('-V', 'mqttv5', '-t', 'answer/time', '-m', 'noon');
  expect(await requester.succeed()).toEqual(['noon']);
});

test('a shared subscription divides its messages', async () => {
  const share = ['-V', 'mqttv5', '-q', '1', '-t', '$share/group/jobs/+', '-F', '=%p'];
  const members = [await subscribed(...share), await subscribed(...share)];
  const texts = Array.from({ length: 20 }, (_, index) => `${index}`);
  for (const text of texts) await publish('-V', 'mqttv5', '-q', '1', '-t', 'jobs/x', '-m', text);
  // Each member tells its messages as they come: together they have every one once.
  const seen: string[] = [];
  const read = async (member: ChildProgram) => {
    while (seen.length < texts.length) seen.push(...(await payloads(member, 1)));
  };
  await Promise.race(members.map(read));
  expect(seen.map(Number).sort((one, other) => one - other)).toEqual(texts.map(Number));
});

test.each(versions)('many lines through one publisher, %s', async (version) => {
  const topic = `lines/${version}`;
  const level = ['-V', version, '-q', '2', '-t', topic];
  const subscriber = await subscribed(...level, '-F', '=%p');
  const publisher = run('mosquitto_pub', [...level, '-l']);
  const texts = Array.from({ length: 200 }, (_, index) => `line ${index}`);
  for (const text of texts) publisher.write(text);
  expect(await payloads(subscriber, texts.length)).toEqual(texts);
});

test.each(versions)('a Client Identifier with slashes and spaces, %s', async (version) => {
  const clientIdentifier = `home/${version}/with spaces`;
  await publish('-V', version, '-t', 'last', '-m', 'x', '-q', '1', '-i', clientIdentifier);
});
