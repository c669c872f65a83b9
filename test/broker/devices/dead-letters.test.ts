import { expect, test } from 'vitest';
import { BrokerWorld } from '../broker-world.js';
import { SmallDevice } from './small-device.js';

const BIG = 'x'.repeat(300);
const BIG_COUNT = 26;
const SMALL = 'small';

/** Messages that a device with a buffer of 256 bytes was sent, and what was published in all. */
async function publishedFor(deadLetterTopic: string, topics: readonly string[]) {
  const world = await BrokerWorld.start({ devices: { deadLetterTopic, patienceSeconds: 120 } });
  const setUp = world.connect('mcu', { clean: false, keepalive: 15 }, 4);
  setUp.subscribe('#', { qos: 1 });
  setUp.drop();
  const published: string[] = [];
  const publisher = world.connect('publisher');
  const watcher = world.connect('watcher');
  watcher.subscribe('#');
  // So many that they take all the room in flight.
  for (let i = 0; i < BIG_COUNT; i++) {
    publisher.publish(topics[i % topics.length]!, BIG, { qos: 1 });
  }
  for (let i = 0; i < 5; i++) publisher.publish(SMALL, String(i), { qos: 1 });
  const device = new SmallDevice(world, 'mcu', { bufferBytes: 256, closes: true });
  device.connect();
  for (let minute = 0; minute < 10; minute++) {
    device.live(60_000);
    published.push(...watcher.publishes().map(({ topic }) => String(topic)));
  }
  return published;
}

test.each(['{client}/dead/{topic}', '{topic}/dead', 'dead/{topic}'])(
  'a dead letter by %s that its own client would get makes no other one',
  async (pattern) => {
    const topics = ['cmd/a', 'cmd/b'];
    const published = await publishedFor(pattern, topics);
    const letters = published.filter((topic) => ![...topics, SMALL].includes(topic));
    const expected = topics.map((topic) =>
      pattern.replace('{client}', 'mcu').replace('{topic}', topic),
    );
    expect(new Set(letters)).toEqual(new Set(expected));
    expect(letters.length).toBeLessThanOrEqual(BIG_COUNT);
  },
);
