import { PLAIN } from '../device/behaviour.js';
import { linkProfile } from '../link/profiles.js';
import { atLeast, atMost, exactly } from '../scenario/criterion.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';
import { WireWatch } from '../scenario/wire-watch.js';

/** What a broker may have under way to a client that cannot ask for less. */
const WINDOW = 20;
const RESENT_SHARE_MAX = 0.25;
const PAYLOAD_BYTES = 40;

export const backlog: Scenario = {
  number: 3,
  name: 'backlog-over-gprs',
  about: 'a queue of QoS 1 messages over a slow link that breaks in the middle',
  telling: (found) => {
    const share = (found.value('bytes sent again, of all that were needed') ?? Number.NaN) * 100;
    const again = `${Math.round(share)} % sent again`;
    return `${found.shown('lost')} lost, ${found.shown('duplicated')} duplicates, ${again}`;
  },
  async run(world): Promise<Outcome> {
    const messages = world.pick(120, 200);
    const name = `${world.prefix}-3-tracker`;
    const topic = `${name}/cmd`;
    const stream = world.ledger.stream('backlog', 1);
    const watch = new WireWatch(4);
    const { device, link, energy } = world.place({
      clientIdentifier: name,
      behaviour: { ...PLAIN, clean: false, reconnect: { firstMs: 200, factor: 1, maxMs: 200 } },
      profile: linkProfile('gprs'),
      subscriptions: [{ topic, qos: 1 }],
      subscribes: 'new-session',
      tap: watch,
      onMessage: ({ payload }) => {
        world.ledger.take(payload, world.nowMs());
        if (stream.distinct === messages / 2 && resetMs === undefined) {
          resetMs = world.nowMs();
          link.reset();
        }
      },
    });
    let resetMs: number | undefined;
    device.start();
    await device.up();
    device.stop();
    const backend = await world.backend('3-backend');
    let acknowledged = 0;
    // Its DISCONNECT takes its time on this link.
    await world.until(() => link.open === 0, 10_000);
    for (let i = 0; i < messages; i++) {
      const payload = stream.next(world.nowMs(), PAYLOAD_BYTES);
      backend.publish({ topic, payload, qos: 1, done: () => acknowledged++ });
    }
    await world.until(() => acknowledged === messages, 10_000);
    world.say(`${messages} messages wait`);
    const startedMs = world.nowMs();
    device.start();
    await world.until(() => stream.distinct === messages, world.pick(30_000, 90_000));
    const tookMs = world.nowMs() - startedMs;
    // Late duplicates count as well.
    await world.wait(2_500);
    const tally = stream.tally();
    const resentShare = watch.repeatedBytes / (watch.publishBytes - watch.repeatedBytes);
    return {
      criteria: [
        atMost('lost', 'messages', 0, tally.lost),
        atMost('out of order', 'messages', 0, tally.reordered),
        atMost('duplicated', 'messages', WINDOW, tally.duplicated),
        atMost('sent again without DUP', 'messages', 0, watch.repeatedWithoutDup),
        atMost('bytes sent again, of all that were needed', 'share', RESENT_SHARE_MAX, resentShare),
        exactly('sessions resumed', 'connections', 2, device.report.sessionsResumed),
        atLeast('broken in the middle', 'breaks', 1, resetMs === undefined ? 0 : 1),
      ],
      measurements: {
        seconds: tookMs / 1000,
        duplicated: tally.duplicated,
        sentAgain: watch.repeated,
        sentAgainBytes: watch.repeatedBytes,
        connackMs: [...device.report.connackMs.values],
        bytesPerUsefulByte: link.usage.wireBytes / (messages * PAYLOAD_BYTES),
        energy: { ...energy.report(world.nowMs()) },
      },
    };
  },
};
