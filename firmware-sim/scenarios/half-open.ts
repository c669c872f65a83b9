import { PLAIN } from '../device/behaviour.js';
import { atLeast, atMost, exactly } from '../scenario/criterion.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';
import { shownNumber } from '../scenario/telling.js';
import type { World } from '../scenario/world.js';
import { heldUpAtMost } from '../scenario/yardstick.js';

/** [MQTT-3.1.2-22]: the broker gives up after one and a half times the Keep Alive. */
const GRACE = 1.5;
const GRACE_SLACK_SECONDS = 1;
const LATE_PING_AT = 1.35;
const LATE_PINGS = 3;
/** A ping at 1.35 that is late by so much of the keep alive may not arrive before 1.5. */
const LATE_PING_SLACK = 0.05;
const TAKEOVER_MS_MAX = 500;
const KEEP_ALIVE_SECONDS = 6;
/** Nothing is lost before that; a broker that is quick does not wait for it. */
const BACK_MS_MAX = 20_000;

export const halfOpen: Scenario = {
  number: 7,
  name: 'half-open',
  about: 'devices that vanish without a word, one that pings late, one that comes back at once',
  telling: (found) => {
    const times = shownNumber(found.measurement('willAfterKeepAlives'));
    return `will after ${times} keep alives`;
  },
  async run(world): Promise<Outcome> {
    const keepAliveSeconds = KEEP_ALIVE_SECONDS;
    const [will, late, back] = await Promise.all([
      untilWill(world, keepAliveSeconds),
      latePinger(world, keepAliveSeconds),
      comesBack(world),
    ]);
    const graceSeconds = GRACE * keepAliveSeconds;
    return {
      criteria: [
        atLeast('will after the last packet', 's', graceSeconds, will.seconds),
        atMost('will at the latest', 's', graceSeconds + GRACE_SLACK_SECONDS, will.seconds),
        heldUpAtMost('will held up behind its time', will.heldUpMs),
        exactly(`drops of one that pings at ${LATE_PING_AT}x`, 'drops', 0, late.drops),
        atLeast('its pings', 'pings', LATE_PINGS, late.pings),
        atMost('CONNACK for one that comes back', 'ms', TAKEOVER_MS_MAX, back.connackMs),
        heldUpAtMost('its CONNACK held up', back.heldUpMs),
        exactly('its session resumed', 'sessions', 1, back.resumed),
        exactly('the message that waited for it', 'messages', 1, back.delivered),
      ],
      measurements: { keepAliveSeconds, willAfterKeepAlives: will.seconds / keepAliveSeconds },
    };
  },
};

/** NaN when it does not come. */
async function untilWill(
  world: World,
  keepAliveSeconds: number,
): Promise<{ readonly seconds: number; readonly heldUpMs: number }> {
  const yardstick = await world.yardstick();
  const topic = `${world.prefix}/7/will`;
  let willAtMs: number | undefined;
  await world.backend('7-watcher', {
    subscriptions: [{ topic, qos: 1 }],
    onMessage: () => {
      willAtMs ??= world.nowMs();
    },
  });
  const { device, link } = world.place({
    clientIdentifier: `${world.prefix}-7-vanishes`,
    behaviour: { ...PLAIN, keepAliveSeconds },
    will: { topic, payload: 'gone', qos: 1, retain: false },
  });
  device.start();
  await device.up();
  // Its last packet is one that is answered, so that it is known to have arrived.
  const lastMs = await new Promise<number>((resolve) => {
    const payload = 'last';
    const sentMs = world.nowMs();
    const done = () => resolve(sentMs);
    device.publish({ topic: `${topic}/last`, payload, qos: 1, done });
  });
  link.blackHole(true);
  const graceMs = GRACE * keepAliveSeconds * 1000;
  await world.until(() => willAtMs !== undefined, graceMs + BACK_MS_MAX);
  const seconds = ((willAtMs ?? Number.NaN) - lastMs) / 1000;
  // A second more is for brokers that look once a second.
  const dueMs = lastMs + graceMs + GRACE_SLACK_SECONDS * 1000;
  return { seconds, heldUpMs: yardstick.beyondMs(dueMs, willAtMs ?? world.nowMs()) };
}

async function latePinger(
  world: World,
  keepAliveSeconds: number,
): Promise<{ drops: number | undefined; pings: number }> {
  const yardstick = await world.yardstick();
  const startedMs = world.nowMs();
  const { device } = world.place({
    clientIdentifier: `${world.prefix}-7-late`,
    behaviour: { ...PLAIN, keepAliveSeconds, pingAt: LATE_PING_AT, pingrespMsMax: 2_000 },
  });
  device.start();
  await device.up();
  await world.wait((LATE_PINGS + 0.5) * LATE_PING_AT * keepAliveSeconds * 1000);
  const { report } = device;
  const slackMs = LATE_PING_SLACK * keepAliveSeconds * 1000;
  const isDisturbed = yardstick.slowestMs(startedMs, world.nowMs()) > slackMs;
  return { drops: isDisturbed ? undefined : report.dropCount, pings: report.pings };
}

async function comesBack(
  world: World,
): Promise<{ connackMs: number; heldUpMs: number; resumed: number; delivered: number }> {
  const yardstick = await world.yardstick();
  const name = `${world.prefix}-7-back`;
  const topic = `${name}/cmd`;
  const stream = world.ledger.stream('back', 1);
  const { device, link } = world.place({
    clientIdentifier: name,
    behaviour: { ...PLAIN, clean: false },
    subscriptions: [{ topic, qos: 1 }],
    subscribes: 'new-session',
    onMessage: ({ payload }) => world.ledger.take(payload, world.nowMs()),
  });
  device.start();
  await device.up();
  link.halfOpen();
  const backend = await world.backend('7-backend');
  // It goes into the dead connection and must come again on the new one.
  backend.publish({ topic, payload: stream.next(world.nowMs(), 40), qos: 1 });
  await world.wait(300);
  device.reboot(true);
  const backMs = world.nowMs();
  await world.until(() => stream.distinct === 1, BACK_MS_MAX);
  const connackMs = device.report.connackMs.values[1] ?? Number.NaN;
  const heldUpMs = yardstick.beyondMs(backMs, backMs + connackMs);
  return {
    connackMs,
    heldUpMs,
    resumed: device.report.sessionsResumed,
    delivered: stream.distinct,
  };
}
