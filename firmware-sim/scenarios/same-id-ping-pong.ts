import { PLAIN } from '../device/behaviour.js';
import { atLeast, atMost } from '../scenario/criterion.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';
import { heldUpAtMost } from '../scenario/yardstick.js';

const TAKEOVERS_PER_SECOND_MAX = 10;
const WILLS_MAX = 2;
const BYSTANDER_P99_MS_MAX = 20;
const BYSTANDER_EVERY_MS = 20;
/** What comes later is lost. */
const BYSTANDER_LATE_MS_MAX = 30_000;
/** A line for each single take-over does not tell anybody that two devices have one identifier. */
const PING_PONG = /ping.?pong|take.?over.?(fight|storm|loop)|two (clients|devices)/i;
/** What a broker may take to see what goes on. */
const DETECTION_MS = 2_000;

export const sameIdPingPong: Scenario = {
  number: 5,
  name: 'same-id-ping-pong',
  about: 'two boards with one Client Identifier, each back at once when the other takes over',
  telling: (found) => {
    const takeovers = found.shown('take-overs once it is detected');
    return `${takeovers} take-overs a second, ${found.shown('wills that are published')} wills`;
  },
  async run(world): Promise<Outcome> {
    const name = `${world.prefix}-5-board`;
    const willTopic = `${name}/will`;
    let wills = 0;
    const bystander = world.ledger.stream('bystander', 1, await world.yardstick());
    const topic = `${world.prefix}/5/bystander`;
    const listener = await world.backend('5-listener', {
      subscriptions: [
        { topic: willTopic, qos: 0 },
        { topic, qos: 1 },
      ],
      onMessage: (message) => {
        if (message.topic === willTopic) wills++;
        else world.ledger.take(message.payload, world.nowMs());
      },
    });
    const speaker = await world.backend('5-speaker');
    const boards = ['127.0.0.1', '127.0.0.2'].map((localAddress) =>
      world.place({
        clientIdentifier: name,
        behaviour: { ...PLAIN, reconnect: { firstMs: 0, factor: 1, maxMs: 0 } },
        will: { topic: willTopic, payload: 'gone', qos: 0, retain: false },
        ...(isLoopback(world.broker.host) && { localAddress }),
      }),
    );
    const connections = () =>
      boards.reduce((sum, { device }) => sum + device.report.connections, 0);
    for (const { device } of boards) device.start();
    const speak = world.every(BYSTANDER_EVERY_MS, () => {
      const payload = bystander.next(world.nowMs(), 60);
      speaker.publish({ topic, payload, qos: 1 });
    });
    await world.wait(DETECTION_MS);
    const atDetection = connections();
    const detectedMs = world.nowMs();
    await world.wait(world.pick(3_000, 5_000));
    const seconds = (world.nowMs() - detectedMs) / 1000;
    const takeoversPerSecond = (connections() - atDetection) / seconds;
    // The end of the last one is no take-over: its will is due.
    const willsOfTakeovers = wills;
    for (const { device } of boards) device.powerOff();
    speak.cancel();
    await world.until(() => bystander.tally().lost === 0, BYSTANDER_LATE_MS_MAX);
    listener.stop();
    const lines = world.logLines(name, PING_PONG);
    const named = lines?.filter((line) => line.includes('127.0.0.2'));
    return {
      criteria: [
        atMost(
          'take-overs once it is detected',
          'a second',
          TAKEOVERS_PER_SECOND_MAX,
          takeoversPerSecond,
        ),
        atMost('wills that are published', 'messages', WILLS_MAX, willsOfTakeovers),
        atLeast('log lines that name it', 'lines', 1, named?.length),
        atMost('bystander p99', 'ms', BYSTANDER_P99_MS_MAX, bystander.delayMs.percentile(0.99)),
        heldUpAtMost('bystander held up', bystander.heldUpMs),
        atMost('bystander lost', 'messages', 0, bystander.tally().lost),
      ],
      measurements: {
        takeoversBefore: atDetection,
        takeoversPerSecond,
        wills: willsOfTakeovers,
        bystanderMs: { ...bystander.delayMs.distribution() },
        logLine: named?.[0] ?? null,
      },
    };
  },
};

function isLoopback(host: string): boolean {
  return host.startsWith('127.') || host === 'localhost';
}
