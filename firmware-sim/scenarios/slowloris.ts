import { generate } from 'mqtt-packet';
import { residentBytes } from '../broker/memory.js';
import { PLAIN } from '../device/behaviour.js';
import type { Line } from '../link/line.js';
import { atMost } from '../scenario/criterion.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';
import { shownKibibytes, shownNumber } from '../scenario/telling.js';
import type { World } from '../scenario/world.js';
import { heldUpAtMost } from '../scenario/yardstick.js';

const CLOSED_SECONDS_MAX = 20;
const BYTES_EACH_MAX = 16 * 1024;
const BYTE_EVERY_MS = 2_000;
/** Sockets. */
const OPENED_AT_ONCE = 10;
const OTHERS_P99_MS_MAX = 50;
const OTHERS_EVERY_MS = 25;
const LAST_MS_MAX = 30_000;

/** Half of them say nothing, the others a byte of CONNECT every two seconds. */
export const slowloris: Scenario = {
  number: 8,
  name: 'slowloris-connect',
  about: 'sockets that connect and then say nothing, or a byte of CONNECT every two seconds',
  telling: (found) => {
    const seconds = found.value('closed at the latest') ?? Number.NaN;
    const closed = Number.isFinite(seconds) ? `closed in ${shownNumber(seconds)} s` : 'left open';
    return `${closed}, ${shownKibibytes(found.value('memory of each'))} each`;
  },
  async run(world): Promise<Outcome> {
    const sockets = world.pick(100, 500);
    const others = await traffic(world);
    await world.wait(1_000);
    const before = residentBytes(world.broker.pid);
    const openSeconds = await openAll(world, sockets);
    await world.wait(2_000);
    const memory = residentBytes(world.broker.pid);
    const waitMs = world.pick(60, 100) * 1000;
    const allClosed = () => openSeconds.closed.length === sockets;
    await world.until(allClosed, waitMs);
    others.stop();
    // The last one is under way yet.
    await world.until(() => others.stream.tally().lost === 0, LAST_MS_MAX);
    const slowest = allClosed() ? Math.max(...openSeconds.closed) : Number.POSITIVE_INFINITY;
    openSeconds.abandon();
    const each =
      before === undefined || memory === undefined ? undefined : (memory - before) / sockets;
    const { stream, device } = others;
    return {
      criteria: [
        atMost('closed at the latest', 's', CLOSED_SECONDS_MAX, slowest),
        heldUpAtMost('closed later than that', openSeconds.heldUpMs()),
        atMost('memory of each', 'bytes', BYTES_EACH_MAX, each),
        atMost('p99 of others', 'ms', OTHERS_P99_MS_MAX, stream.delayMs.percentile(0.99)),
        heldUpAtMost('others held up', stream.heldUpMs),
        atMost('lost by others', 'messages', 0, stream.tally().lost),
        atMost('drops of others', 'drops', 0, device.report.dropCount),
      ],
      measurements: {
        sockets,
        closed: openSeconds.closed.length,
        othersMs: { ...stream.delayMs.distribution() },
      },
    };
  },
};

async function openAll(
  world: World,
  sockets: number,
): Promise<{ closed: number[]; heldUpMs(): number; abandon(): void }> {
  const yardstick = await world.yardstick();
  const clientId = 'slow'.repeat(20);
  const connect = generate({ cmd: 'connect', clientId, keepalive: 60, clean: true });
  const closed: number[] = [];
  let heldUpMs = 0;
  const open = (index: number) => {
    const startMs = world.nowMs();
    let sent = 0;
    const drip = world.every(BYTE_EVERY_MS, () => {
      if (index % 2 === 1) line.write(connect.subarray(sent, ++sent));
    });
    const line = world.dial()({
      opened: () => {},
      data: () => {},
      closed: () => {
        drip.cancel();
        const nowMs = world.nowMs();
        closed.push((nowMs - startMs) / 1000);
        const dueMs = startMs + CLOSED_SECONDS_MAX * 1000;
        if (nowMs > dueMs) heldUpMs = Math.max(heldUpMs, yardstick.beyondMs(dueMs, nowMs));
      },
    });
    return line;
  };
  const lines: Line[] = [];
  for (let index = 0; index < sockets; index++) {
    lines.push(open(index));
    // Not all at once: that would measure how quickly this process opens sockets.
    if (index % OPENED_AT_ONCE === 0) await world.wait(1);
  }
  return {
    closed,
    heldUpMs: () => (closed.length === sockets ? heldUpMs : Number.POSITIVE_INFINITY),
    abandon() {
      for (const line of lines) line.reset();
    },
  };
}

/** A device that goes on working, and what became of its messages. */
async function traffic(world: World) {
  const topic = `${world.prefix}/8/echo`;
  const stream = world.ledger.stream('echo', 1, await world.yardstick());
  const { device } = world.place({
    clientIdentifier: `${world.prefix}-8-other`,
    behaviour: PLAIN,
    subscriptions: [{ topic, qos: 1 }],
    onMessage: ({ payload }) => world.ledger.take(payload, world.nowMs()),
  });
  device.start();
  await device.up();
  const timer = world.every(OTHERS_EVERY_MS, () => {
    device.publish({ topic, payload: stream.next(world.nowMs(), 40), qos: 1 });
  });
  return { stream, device, stop: () => timer.cancel() };
}
