import { expect } from 'vitest';
import { flow } from '../harness/flow.js';

const MESSAGES = 200;

// [3.1.1 MQTT-4.6.0-5] [3.1.1 MQTT-4.6.0-6] [5.0 MQTT-4.6.0-5] [5.0 MQTT-4.6.0-6]
flow(
  'order holds for each client, topic and QoS while quota comes and goes',
  [4, 5],
  async (run) => {
    const properties = { receiveMaximum: 7 };
    const subscriber = await run.connected('subscriber', { properties });
    await run.subscribe(subscriber, '#', 2);
    const publishers = [await run.connected('p0'), await run.connected('p1')];
    for (let i = 0; i < MESSAGES; i++) {
      const qos = i % 3;
      const fields = { topic: `t${i % 2}`, qos, payload: `${i % 2}/${qos}/${i}`, id: i + 1 };
      await publishers[i % 2]!.send({ PUBLISH: fields });
    }
    const last = new Map<string, number>();
    const seen: number[] = [];
    while (seen.length < MESSAGES) {
      const { type, fields } = await subscriber.next();
      const id = fields['id'];
      if (type === 'PUBREL') {
        await subscriber.send({ PUBCOMP: { id } });
        continue;
      }
      const [publisher, qos, number] = String(fields['payload']).split('/');
      const stream = `${publisher}/${qos}`;
      expect(Number(number)).toBeGreaterThan(last.get(stream) ?? -1);
      last.set(stream, Number(number));
      seen.push(Number(number));
      if (fields['qos'] === 1) await subscriber.send({ PUBACK: { id } });
      if (fields['qos'] === 2) await subscriber.send({ PUBREC: { id } });
    }
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: MESSAGES }, (_, i) => i));
  },
);

// [3.1.1 MQTT-4.6.0-1] [5.0 MQTT-4.4.0-1] [5.0 MQTT-3.3.4-9] [5.0 MQTT-4.9.0-2]
flow('what was in flight and what waits comes in order on reconnection', [4, 5], async (run) => {
  const fields = { clean: false, expiry: 100, properties: { receiveMaximum: 5 } };
  const subscriber = await run.connected('subscriber', fields);
  await run.subscribe(subscriber, 't', 1);
  const publisher = await run.connected('publisher');
  for (let i = 0; i < 50; i++) {
    await publisher.send({ PUBLISH: { topic: 't', qos: 1, payload: String(i), id: 1 } });
    await publisher.expect({ PUBACK: { id: 1 } });
  }
  for (let i = 0; i < 5; i++) await subscriber.expect({ PUBLISH: { payload: String(i) } });
  await subscriber.drop();
  await subscriber.connect(fields, { sessionPresent: true });
  for (let i = 0; i < 50; i++) {
    const { fields: got } = await subscriber.next();
    expect(String(got['payload'])).toBe(String(i));
    expect(got['dup']).toBe(i < inFlight(run.version));
    await subscriber.send({ PUBACK: { id: got['id'] } });
  }
  await subscriber.expectNothing();
});

/** Earlier clients cannot name a Receive Maximum: the server has one of its own for them. */
function inFlight(version: number): number {
  return version === 5 ? 5 : 20;
}
