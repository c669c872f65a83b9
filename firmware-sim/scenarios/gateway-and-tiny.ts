import { type Behaviour, PLAIN } from '../device/behaviour.js';
import type { Device } from '../device/device.js';
import { behaviourOf } from '../device/libraries.js';
import { linkProfile } from '../link/profiles.js';
import { atMost, exactly } from '../scenario/criterion.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';
import type { World } from '../scenario/world.js';
import { heldUpAtMost, Silence } from '../scenario/yardstick.js';

const OWN_TOPIC_MS_MAX = 1_000;
const GATEWAY_BACK_MS_MAX = 3_000;
const GATEWAY_BACK = 'until the gateway is back with its tree';
const SMALL_BYTES = 60;
const TOPICS_A_DEVICE = 5;
const GIVE_UP_MS = 60_000;
/** SUBSCRIBE, SUBACK and the PUBLISH at 960 bytes a second, and twice as long. */
const WIRE_MS = 400;

/** An ATmega328P with 2 KB of RAM, as `firmware-sim/emulated` runs it. */
const TINY: Behaviour = {
  ...PLAIN,
  name: 'avr',
  receiveBytesMax: 160,
  keepAliveSeconds: 30,
  inFlightMax: 1,
};

interface House {
  readonly base: string;
  readonly subDevices: number;
  readonly tinyDevices: number;
  readonly largeBytes: number;
}

export const gatewayAndTiny: Scenario = {
  number: 11,
  name: 'gateway-and-tiny',
  about: 'a gateway with many retained topics, one of them very large, beside devices at 9600 baud',
  telling: (found) => {
    const own = found.shown('from SUBSCRIBE to its topic');
    return `own topic in ${own} ms, gateway back in ${found.shown(GATEWAY_BACK)} ms`;
  },
  async run(world): Promise<Outcome> {
    const house: House = {
      base: `${world.prefix}/11/house`,
      subDevices: world.pick(40, 200),
      tinyDevices: world.pick(10, 50),
      largeBytes: world.pick(65_536, 262_144),
    };
    const gateway = await gatewayOf(world, house);
    const tiny = await tinyDevices(world, house);
    const backMs = await gateway.reconnected();
    const needlessBytes = tiny.needlessBytes();
    const received = tiny.devices.reduce((sum, { report }) => sum + report.received, 0);
    const oversize = tiny.devices.reduce((sum, { report }) => sum + report.oversize, 0);
    const drops = tiny.devices.reduce((sum, { report }) => sum + report.dropCount, 0);
    // From here on they get what clears their topics.
    await gateway.clear();
    return {
      criteria: [
        exactly('retained topics published', 'topics', gateway.topics, gateway.published()),
        exactly('tiny devices with their topic', 'devices', house.tinyDevices, tiny.served()),
        atMost('from SUBSCRIBE to its topic', 'ms', OWN_TOPIC_MS_MAX, tiny.slowestMs()),
        heldUpAtMost('its topic held up', tiny.heldUpMs()),
        exactly('messages to tiny devices', 'messages', house.tinyDevices, received),
        atMost('bytes to one that it did not ask for', 'bytes on the wire', 0, needlessBytes),
        atMost('oversize messages to tiny devices', 'messages', 0, oversize),
        atMost('connections that tiny devices lost', 'connections', 0, drops),
        atMost(GATEWAY_BACK, 'ms', GATEWAY_BACK_MS_MAX, backMs),
        heldUpAtMost('the gateway waits, and nothing of its tree comes', gateway.silentMs()),
      ],
      measurements: { ...house, topics: gateway.topics, gatewayBackMs: backMs },
    };
  },
};

function topicsOf({ base, subDevices }: House): string[] {
  return Array.from(
    { length: subDevices * TOPICS_A_DEVICE },
    (_, i) => `${base}/device-${Math.floor(i / TOPICS_A_DEVICE)}/${i % TOPICS_A_DEVICE}`,
  );
}

/** It subscribes to its own tree, and so receives its own traffic. */
async function gatewayOf(world: World, house: House) {
  const topics = topicsOf(house);
  const seen = new Set<string>();
  const yardstick = await world.yardstick();
  let silence: Silence | undefined;
  let acknowledged = 0;
  const { device } = world.place({
    clientIdentifier: `${world.prefix}-11-gateway`,
    behaviour: behaviourOf('zigbee2mqtt'),
    profile: linkProfile('home-wifi'),
    // A machine with a real TCP stack: only what is tiny is split.
    splits: false,
    subscriptions: [{ topic: `${house.base}/#`, qos: 0 }],
    onMessage: ({ topic, payload }) => {
      if (payload.length === 0) return;
      seen.add(topic);
      silence?.broken(world.nowMs());
    },
  });
  device.start();
  await device.up();
  const large = `${house.base}/bridge/devices`;
  const done = () => acknowledged++;
  device.publish({
    topic: large,
    payload: 'x'.repeat(house.largeBytes),
    qos: 1,
    retain: true,
    done,
  });
  for (const topic of topics) {
    device.publish({ topic, payload: 'y'.repeat(SMALL_BYTES), qos: 1, retain: true, done });
  }
  const count = topics.length + 1;
  await world.until(() => acknowledged === count, GIVE_UP_MS);
  return {
    topics: count,
    published: () => acknowledged,
    silentMs: () => silence?.longestMs ?? 0,
    /** Back after a restart, with all it had retained. */
    async reconnected(): Promise<number> {
      seen.clear();
      const startedMs = world.nowMs();
      silence = new Silence(yardstick, startedMs);
      device.reboot(true);
      await world.until(() => seen.size === count, GIVE_UP_MS);
      return world.nowMs() - startedMs;
    },
    async clear(): Promise<void> {
      for (const topic of [large, ...topics]) {
        device.publish({ topic, payload: '', qos: 1, retain: true });
      }
      await world.until(() => device.waiting === 0, GIVE_UP_MS);
    },
  };
}

/** CONNACK and SUBACK, and the fixed header, topic and identifier of one PUBLISH at QoS 1. */
function neededBytes(topic: string): number {
  return 4 + 5 + 2 + 2 + topic.length + 2 + SMALL_BYTES;
}

async function tinyDevices(world: World, house: House) {
  const slowest: number[] = [];
  const heldUp: number[] = [];
  const yardstick = await world.yardstick();
  const placed = Array.from({ length: house.tinyDevices }, (_, i) => {
    const topic = `${house.base}/device-${i}/0`;
    let startedMs = 0;
    const one = world.place({
      clientIdentifier: `${world.prefix}-11-avr-${i}`,
      behaviour: TINY,
      profile: linkProfile('serial-9600'),
      subscriptions: [{ topic, qos: 1 }],
      onConnected: () => {
        startedMs = world.nowMs();
      },
      onMessage: () => {
        slowest.push(world.nowMs() - startedMs);
        heldUp.push(yardstick.beyondMs(startedMs + WIRE_MS, world.nowMs()));
      },
    });
    return { ...one, topic };
  });
  for (const { device } of placed) device.start();
  await world.until(() => slowest.length >= house.tinyDevices, GIVE_UP_MS);
  await world.wait(500);
  const devices: readonly Device[] = placed.map(({ device }) => device);
  return {
    devices,
    served: () => devices.filter(({ report }) => report.received > 0).length,
    slowestMs: () => Math.max(...slowest),
    heldUpMs: () => Math.max(...heldUp),
    needlessBytes: () =>
      Math.max(
        ...placed.map(({ link, topic }) => link.usage.payloadBytesDown - neededBytes(topic)),
      ),
  };
}
