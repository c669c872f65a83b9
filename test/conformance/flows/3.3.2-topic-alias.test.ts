import { expect } from 'vitest';
import type { CaseClient } from '../harness/case-client.js';
import { flow } from '../harness/flow.js';

const ALIAS_MAXIMUM = 3;
const TOPICS = ['a', 'b', 'c', 'd', 'e'];

// [5.0 MQTT-3.1.2-26] [5.0 MQTT-3.3.2-11] [5.0 MQTT-3.3.2-8]
flow(
  'aliases of the server are within the maximum and always stand for the right name',
  [5],
  async (run) => {
    const properties = { topicAliasMaximum: ALIAS_MAXIMUM };
    const subscriber = await run.connected('subscriber', { properties });
    await run.subscribe(subscriber, '#', 0);
    const publisher = await run.connected('publisher');
    const names = new Map<number, string>();
    for (let i = 0; i < 60; i++) {
      const topic = TOPICS[(i * i) % TOPICS.length]!;
      await publisher.send({ PUBLISH: { topic, payload: topic } });
      expect(await topicOfNext(subscriber, names)).toBe(topic);
    }
  },
);

// [5.0 MQTT-3.3.2-7] [5.0 MQTT-3.1.2-27]
flow('aliases of the server end with the connection', [5], async (run) => {
  const properties = { topicAliasMaximum: ALIAS_MAXIMUM };
  const fields = { clean: false, expiry: 100, properties };
  const subscriber = await run.connected('subscriber', fields);
  await run.subscribe(subscriber, '#', 0);
  const publisher = await run.connected('publisher');
  for (let connection = 0; connection < 3; connection++) {
    const names = new Map<number, string>();
    for (let i = 0; i < 5; i++) {
      await publisher.send({ PUBLISH: { topic: 'a', payload: 'a' } });
      expect(await topicOfNext(subscriber, names)).toBe('a');
    }
    await subscriber.drop();
    await subscriber.connect(fields, { sessionPresent: true });
  }
  await subscriber.drop();
  await subscriber.connect({ clean: false }, { sessionPresent: true });
  await publisher.send({ PUBLISH: { topic: 'a', payload: 'a' } });
  await subscriber.expect("30 ## s'a' 00 'a'");
});

/** The Topic Name of the next PUBLISH as a client would understand it. */
async function topicOfNext(client: CaseClient, names: Map<number, string>): Promise<string> {
  const { fields } = await client.next();
  const { topicAlias } = fields['properties'] as { readonly topicAlias?: number };
  const topic = fields['topic'] as string;
  if (topicAlias === undefined) return topic;
  expect(topicAlias).toBeGreaterThan(0);
  expect(topicAlias).toBeLessThanOrEqual(ALIAS_MAXIMUM);
  if (topic !== '') names.set(topicAlias, topic);
  return names.get(topicAlias) ?? 'an alias that was never given';
}
