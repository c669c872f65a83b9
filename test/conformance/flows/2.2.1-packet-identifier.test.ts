import { expect } from 'vitest';
import { flow } from '../harness/flow.js';

const MESSAGES = 66_000;
const AT_ONCE = 1000;

/** Never acknowledged, so never free again. */
const HELD = 3;

// [3.1.1 MQTT-2.3.1-4] [5.0 MQTT-2.2.1-4] [3.1.1 MQTT-4.3.2-1] [5.0 MQTT-4.3.2-1]
flow(
  'identifiers go round past those in use, and 0 is none of them',
  [4, 5],
  async (run) => {
    const subscriber = await run.connected('subscriber');
    await run.subscribe(subscriber, 't', 1);
    const publisher = await run.connected('publisher');
    const publishes = new Array(AT_ONCE).fill("32 ## s't' 0001 [5:00]").join('|');
    const held = new Set<number>();
    let last = 0;
    let rounds = 0;
    for (let sent = 0; sent < MESSAGES; sent += AT_ONCE) {
      await publisher.send(publishes);
      for (let i = 0; i < AT_ONCE; i++) await publisher.expect({ PUBACK: { id: 1 } });
      const acknowledgements: string[] = [];
      for (let i = 0; i < AT_ONCE; i++) {
        const { type, fields } = await subscriber.next();
        const id = fields['id'] as number;
        if (type !== 'PUBLISH' || id === 0 || held.has(id)) expect.fail(`${type} with ${id}`);
        if (id < last) rounds++;
        last = id;
        if (held.size < HELD) held.add(id);
        else acknowledgements.push(`40 02 ${id.toString(16).padStart(4, '0')}`);
      }
      await subscriber.send(acknowledgements.join('|'));
    }
    expect(rounds).toBeGreaterThan(0);
  },
  { limits: { inFlightMax: 2 * AT_ONCE, legacyInFlightMax: 2 * AT_ONCE } },
);
