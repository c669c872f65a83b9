import { Samples } from '../base/samples.js';
import { behaviourOf } from '../device/libraries.js';
import { linkProfile } from '../link/profiles.js';
import { atMost } from '../scenario/criterion.js';
import type { World } from '../scenario/world.js';
import { heldUpAtMost } from '../scenario/yardstick.js';
import type { Playing } from './archetype.js';

const ECHO_P99_MS_MAX = 200;
const COMMAND_EVERY_MS = 200;
/** What comes later is no answer. */
const ANSWER_MS_MAX = 20_000;

/** A Tasmota-like plug: a command at QoS 0, and its state comes back. */
export async function playMainsPlugs(world: World, count: number): Promise<Playing> {
  const base = `${world.prefix}/plug`;
  const sentMs = new Map<string, number>();
  const echoMs = new Samples();
  const yardstick = await world.yardstick();
  let commands = 0;
  let heldUpMs = 0;
  const controller = await world.backend('plug-controller', {
    subscriptions: [{ topic: `${base}/+/stat`, qos: 0 }],
    onMessage: ({ topic, payload }) => {
      const key = `${topic.split('/').at(-2)} ${payload.toString()}`;
      const sent = sentMs.get(key);
      if (sent === undefined) return;
      echoMs.add(world.nowMs() - sent);
      heldUpMs = Math.max(heldUpMs, yardstick.beyondMs(sent, world.nowMs()));
    },
  });
  const plugs = Array.from({ length: count }, (_, index) => {
    const { device } = world.place({
      clientIdentifier: `${world.prefix}-DVES_${index.toString(16).padStart(6, '0')}`,
      behaviour: behaviourOf('tasmota'),
      profile: linkProfile('home-wifi'),
      will: { topic: `${base}/${index}/lwt`, payload: 'Offline', qos: 1, retain: false },
      subscriptions: [{ topic: `${base}/${index}/cmnd`, qos: 0 }],
      onMessage: ({ payload }) =>
        device.publish({ topic: `${base}/${index}/stat`, payload, qos: 0 }),
    });
    device.start();
    return device;
  });
  await Promise.all(plugs.map((device) => device.up()));
  const timer = world.every(COMMAND_EVERY_MS, () => {
    const index = commands % count;
    const payload = String(commands++);
    sentMs.set(`${index} ${payload}`, world.nowMs());
    controller.publish({ topic: `${base}/${index}/cmnd`, payload, qos: 0 });
  });
  return {
    async finish() {
      timer.cancel();
      await world.until(() => echoMs.count === commands, ANSWER_MS_MAX);
    },
    criteria: () => [
      atMost(
        'plugs: state behind its command, p99',
        'ms',
        ECHO_P99_MS_MAX,
        echoMs.percentile(0.99),
      ),
      heldUpAtMost('plugs: state held up', heldUpMs),
      atMost('plugs: commands without an answer', 'commands', 0, commands - echoMs.count),
    ],
  };
}
