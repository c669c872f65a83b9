import { expect } from 'vitest';
import type { CaseClient } from '../harness/case-client.js';
import { flow } from '../harness/flow.js';

const MESSAGES = 30;

// [5.0 MQTT-4.8.2-1] [5.0 MQTT-4.8.2-3]
flow('each message goes to one member of a share, and each share gets it', [4, 5], async (run) => {
  const members = await Promise.all(['m1', 'm2', 'm3'].map((name) => run.connected(name)));
  for (const member of members) await run.subscribe(member, '$share/g/t', 0);
  const other = await run.connected('other');
  await run.subscribe(other, '$share/h/t', 0);
  const ordinary = await run.connected('ordinary');
  await run.subscribe(ordinary, 't', 0);
  const publisher = await run.connected('publisher');
  for (let i = 0; i < MESSAGES; i++) {
    await publisher.send({ PUBLISH: { topic: 't', payload: String(i) } });
  }
  await run.harness.settle();
  const all = Array.from({ length: MESSAGES }, (_, i) => String(i));
  expect(await payloads(ordinary)).toEqual(all);
  expect(await payloads(other)).toEqual(all);
  const shares = [];
  for (const member of members) shares.push(await payloads(member));
  expect(shares.flat().sort()).toEqual([...all].sort());
  for (const share of shares) expect(share.length).toBeGreaterThan(0);
});

// [5.0 MQTT-4.8.2-4] [5.0 MQTT-4.8.2-5]
flow('a QoS 2 delivery begun to one member never reaches another', [5], async (run) => {
  const fields = { clean: false, expiry: 10 };
  const first = await run.connected('first', fields);
  await run.subscribe(first, '$share/g/t', 2);
  const second = await run.connected('second');
  await run.subscribe(second, '$share/g/t', 2);
  const publisher = await run.connected('publisher');
  for (let id = 1; id <= 4; id++) {
    await publisher.send({ PUBLISH: { topic: 't', qos: 2, id, payload: String(id) } });
    await publisher.expect({ PUBREC: { id } });
  }
  await run.harness.settle();
  const before = await payloads(second);
  await first.drop();
  await run.harness.advance(20_000);
  expect(before.length).toBeLessThan(4);
  expect(await payloads(second)).toEqual([]);
});

/** Of every PUBLISH that is there; a PINGRESP marks the end. */
async function payloads(client: CaseClient): Promise<string[]> {
  const found: string[] = [];
  await client.send('c0 00');
  for (;;) {
    const { type, fields } = await client.next();
    if (type === 'PINGRESP') return found;
    found.push(String(fields['payload']));
  }
}
