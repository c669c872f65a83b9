import { behaviourOf } from '../device/libraries.js';
import { type LinkProfile, NO_LIMIT } from '../link/profile.js';
import { AckWatch } from '../scenario/ack-watch.js';
import { atLeast, atMost, type Criterion, exactly } from '../scenario/criterion.js';
import type { MeasurementMap, Outcome, Scenario } from '../scenario/scenario.js';
import type { World } from '../scenario/world.js';

/** A round trip of 2.5 s: everything is sent again twice before its answer can be there. */
const FAR_AWAY: LinkProfile = {
  ...NO_LIMIT,
  name: 'far-away',
  upBytesPerSecond: 20_000,
  downBytesPerSecond: 20_000,
  latencyMs: 1_250,
  segmentBytes: 536,
  source: 'a round trip of 2.5 s, as on NB-IoT in poor coverage',
};
/** One of 12 s, for a library that waits 10 s. */
const FURTHER_AWAY: LinkProfile = {
  ...FAR_AWAY,
  name: 'further-away',
  latencyMs: 6_000,
  source: 'a round trip of 12 s, as NB-IoT has with many repetitions',
};
const LINKS: Readonly<Record<string, LinkProfile>> = {
  'esp-mqtt': FAR_AWAY,
  'esp-mqtt-5': FAR_AWAY,
  espmqttclient: FURTHER_AWAY,
};
const LIBRARIES = Object.keys(LINKS);
/** Round trips: for all exchanges, and for what comes late. */
const ALL_ROUND_TRIPS = 12;
const LATE_ROUND_TRIPS = 2.4;
const EVERY_MS = 400;
const LOGGED = /retransmi|sent again|resen[dt]|duplicate/i;

export const impatientResender: Scenario = {
  number: 9,
  name: 'impatient-resender',
  about: 'libraries send again what is not acknowledged yet, since it is so far away',
  telling: (found) => {
    const sum = (what: string) =>
      LIBRARIES.reduce((total, name) => total + (found.value(`${name}: ${what}`) ?? 0), 0);
    const wrong = sum('QoS 2 lost or doubled, up') + sum('QoS 2 lost or doubled, down');
    return `${sum('drops')} drops, ${wrong} of QoS 2 lost or twice`;
  },
  async run(world): Promise<Outcome> {
    const results = await Promise.all(LIBRARIES.map((name) => runLibrary(world, name)));
    return {
      criteria: results.flatMap(({ criteria }) => criteria),
      measurements: Object.fromEntries(
        results.map(({ measurements }, index) => [LIBRARIES[index]!, measurements]),
      ),
    };
  },
};

async function runLibrary(
  world: World,
  name: string,
): Promise<{ criteria: Criterion[]; measurements: MeasurementMap }> {
  const messages = world.pick(5, 20);
  const link = LINKS[name]!;
  const roundTripMs = 2 * link.latencyMs;
  const id = `${world.prefix}-9-${name}`;
  const [once, atLeastOnce] = [2, 1].map((qos) => world.ledger.stream(`${name}-up${qos}`, qos));
  const commands = world.ledger.stream(`${name}-down2`, 2);
  const take = (payload: Buffer | string) => world.ledger.take(payload, world.nowMs());
  const backend = await world.backend(`9-${name}-backend`, {
    subscriptions: [{ topic: `${id}/up/#`, qos: 2 }],
    onMessage: ({ payload }) => take(payload),
  });
  const retained = `${id}/cmd/retained`;
  backend.publish({ topic: retained, payload: 'state', qos: 1, retain: true });
  let replays = 0;
  const watch = new AckWatch();
  const { device } = world.place({
    clientIdentifier: id,
    behaviour: behaviourOf(name),
    profile: link,
    trace: watch.trace,
    subscriptions: [{ topic: `${id}/cmd/#`, qos: 2 }],
    onMessage: ({ topic, payload }) => {
      if (topic === retained) replays++;
      else take(payload);
    },
  });
  device.start();
  await device.up();
  for (let i = 0; i < messages; i++) {
    for (const [stream, qos] of [
      [once!, 2],
      [atLeastOnce!, 1],
    ] as const) {
      const payload = stream.next(world.nowMs(), 40);
      device.publish({ topic: `${id}/up/${qos}`, payload, qos });
    }
    backend.publish({ topic: `${id}/cmd/now`, payload: commands.next(world.nowMs(), 40), qos: 2 });
    await world.wait(EVERY_MS);
  }
  const isDone = () => device.waiting === 0 && commands.distinct === messages;
  await world.until(isDone, ALL_ROUND_TRIPS * roundTripMs);
  await world.wait(LATE_ROUND_TRIPS * roundTripMs);
  backend.publish({ topic: retained, payload: '', qos: 0, retain: true });
  const [exact, loose, down] = [once!.tally(), atLeastOnce!.tally(), commands.tally()];
  const logged = world.logLines(id, LOGGED);
  const told =
    name === 'esp-mqtt-5' ? [atLeast(`${name}: logged`, 'lines', 1, logged?.length)] : [];
  return {
    criteria: [
      atMost(`${name}: QoS 2 lost or doubled, up`, 'messages', 0, exact.lost + exact.duplicated),
      atMost(`${name}: QoS 2 lost or doubled, down`, 'messages', 0, down.lost + down.duplicated),
      atMost(`${name}: QoS 1 lost`, 'messages', 0, loose.lost),
      exactly(`${name}: acknowledgements as PUBLISH came`, 'runs', 1, watch.inOrder ? 1 : 0),
      atMost(`${name}: drops`, 'drops', 0, device.report.dropCount),
      ...told,
    ],
    measurements: {
      drops: Object.fromEntries(device.report.drops),
      resent: device.report.resent,
      subscribesThatArrived: watch.subscribes,
      retainedReplays: replays,
      qos1Duplicated: loose.duplicated,
      publishesThatArrived: watch.publishes[1].length + watch.publishes[2].length,
      ackMs: { ...device.report.ackMs.distribution() },
      subackMs: { ...device.report.subackMs.distribution() },
    },
  };
}
