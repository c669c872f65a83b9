import { PLAIN } from '../device/behaviour.js';
import { atMost } from '../scenario/criterion.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';
import { heldUpAtMost, Silence } from '../scenario/yardstick.js';

/** How long the impatient ones of the Arduino libraries wait for CONNACK and SUBACK. */
const PATIENCE_MS = 1_000;
const CONNACK_P99_MS_MAX = 800;
const READY_MS_MAX = 2_000;

export const storm: Scenario = {
  number: 4,
  name: 'storm',
  about: 'after a power cut a whole fleet with persistent sessions connects and subscribes at once',
  telling: (found) => {
    const ready = found.shown('until all are ready');
    return `CONNACK p99 ${found.shown('CONNACK p99')} ms, ready in ${ready} ms`;
  },
  async run(world): Promise<Outcome> {
    const count = world.pick(200, 1_000);
    // Few devices show no limit of a broker: they would only show that the machine is busy.
    const patienceMs = world.pick(60_000, PATIENCE_MS);
    let ready = 0;
    const devices = Array.from({ length: count }, (_, index) => {
      const name = `${world.prefix}-4-${index}`;
      return world.place({
        clientIdentifier: name,
        behaviour: { ...PLAIN, clean: false, connackMsMax: patienceMs, ackMsMax: patienceMs },
        subscriptions: [{ topic: `${name}/cmd`, qos: 1 }],
      });
    });
    const yardstick = await world.yardstick();
    const startedMs = world.nowMs();
    const silence = new Silence(yardstick, startedMs);
    const isReady = () => {
      ready++;
      silence.broken(world.nowMs());
    };
    for (const { device } of devices) {
      device.up().then(isReady, () => {});
      device.start();
    }
    await world.until(() => ready === count, world.pick(90_000, 15_000));
    silence.broken(world.nowMs());
    const readyMs = world.nowMs() - startedMs;
    const connackMs = world.samplesOf(devices, ({ device }) => device.report.connackMs);
    const drops = devices.reduce((sum, { device }) => sum + device.report.dropCount, 0);
    return {
      criteria: [
        atMost('until all are ready', 'ms', READY_MS_MAX, readyMs),
        atMost('CONNACK p99', 'ms', CONNACK_P99_MS_MAX, connackMs.percentile(0.99)),
        heldUpAtMost('no device comes in, though some wait', silence.longestMs),
        atMost('attempts that failed', 'attempts', 0, drops),
        atMost('devices that never came in', 'devices', 0, count - ready),
      ],
      measurements: { devices: count, readyMs, connackMs: { ...connackMs.distribution() } },
    };
  },
};
