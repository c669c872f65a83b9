import { createHash } from 'node:crypto';
import { behaviourOf } from '../device/libraries.js';
import { linkProfile } from '../link/profiles.js';
import { exactly } from '../scenario/criterion.js';
import type { World } from '../scenario/world.js';
import type { Playing } from './archetype.js';

const CHUNK_BYTES = 256;
const FINISH_MS_MAX = 60_000;

/** A fleet that loads new firmware at once: each asks for a chunk by its offset, at QoS 1. */
export async function playOtaDownloads(world: World, count: number): Promise<Playing> {
  const base = `${world.prefix}/ota`;
  const random = world.random('firmware');
  const chunks = world.pick(16, 64);
  const firmware = Buffer.from(
    Array.from({ length: chunks * CHUNK_BYTES }, () => Math.floor(random.next() * 256)),
  );
  const expected = createHash('sha256').update(firmware).digest('hex');
  let right = 0;
  let wrong = 0;
  const server = await world.backend('ota-server', {
    subscriptions: [{ topic: `${base}/+/ask`, qos: 1 }],
    onMessage: ({ topic, payload }) => {
      const offset = Number(payload.toString());
      const chunk = firmware.subarray(offset, offset + CHUNK_BYTES);
      const answer = Buffer.concat([Buffer.from(payload.toString().padEnd(8)), chunk]);
      server.publish({ topic: topic.replace(/ask$/, 'chunk'), payload: answer, qos: 1 });
    },
  });
  for (let index = 0; index < count; index++) {
    const own = `${base}/${index}`;
    let image = Buffer.alloc(0);
    const { device } = world.place({
      clientIdentifier: `${world.prefix}-ota-${index}`,
      behaviour: behaviourOf('esp-mqtt'),
      profile: linkProfile('esp8266-power-save'),
      subscriptions: [{ topic: `${own}/chunk`, qos: 1 }],
      onMessage: ({ payload }) => {
        const answer = Buffer.from(payload);
        // A chunk that comes twice is not what is waited for any more.
        if (Number(answer.subarray(0, 8).toString()) !== image.length) return;
        image = Buffer.concat([image, answer.subarray(8)]);
        if (image.length < firmware.length) ask();
        else if (createHash('sha256').update(image).digest('hex') === expected) right++;
        else wrong++;
      },
    });
    const ask = (): void =>
      device.publish({ topic: `${own}/ask`, payload: String(image.length), qos: 1 });
    device.start();
    void device.up().then(ask, () => {});
  }
  return {
    finish: async () => {
      await world.until(() => right + wrong === count, FINISH_MS_MAX);
    },
    criteria: () => [
      exactly('updates: whole, with the right hash', 'devices', count, right),
      exactly('updates: whole, with a wrong hash', 'devices', 0, wrong),
    ],
  };
}
