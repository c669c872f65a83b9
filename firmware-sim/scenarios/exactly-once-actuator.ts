import { type Behaviour, PLAIN } from '../device/behaviour.js';
import { behaviourOf } from '../device/libraries.js';
import type { PacketMoment } from '../device/packet-gate.js';
import { atMost, exactly } from '../scenario/criterion.js';
import type { Stream } from '../scenario/ledger.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';
import type { PlacedDevice, World } from '../scenario/world.js';

const [PUBLISH, PUBREC, PUBREL, PUBCOMP] = [3, 5, 6, 7] as const;

interface Point extends PacketMoment {
  readonly name: string;
  /** Which way the message travels. */
  readonly flow: 'command' | 'report';
}

/** The eight moments of the two exchanges in which the device or the broker can go. */
const POINTS: readonly Point[] = [
  { name: 'publish-lost', flow: 'command', way: 'received', when: 'before', type: PUBLISH },
  { name: 'acted', flow: 'command', way: 'sent', when: 'before', type: PUBREC },
  { name: 'pubrec-sent', flow: 'command', way: 'sent', when: 'after', type: PUBREC },
  { name: 'released', flow: 'command', way: 'sent', when: 'before', type: PUBCOMP },
  { name: 'publish-sent', flow: 'report', way: 'sent', when: 'after', type: PUBLISH },
  { name: 'pubrec-lost', flow: 'report', way: 'received', when: 'before', type: PUBREC },
  { name: 'pubrel-sent', flow: 'report', way: 'sent', when: 'after', type: PUBREL },
  { name: 'pubcomp-lost', flow: 'report', way: 'received', when: 'before', type: PUBCOMP },
];

const MESSAGES = 4;
/** The moment comes with each message: it breaks at the second one. */
const STRIKES_AT = 2;
const SETTLE_MS = 60_000;
/** Late duplicates count as well. */
const LATE_MS = 700;
const BEHIND = 25;
const STUCK_MS_MAX = 60_000;

const ACTUATOR: Behaviour = {
  ...PLAIN,
  name: 'actuator',
  clean: false,
  reconnect: { firstMs: 100, factor: 1, maxMs: 100 },
};

export const exactlyOnceActuator: Scenario = {
  number: 10,
  name: 'exactly-once-actuator',
  about:
    'QoS 2 both ways; the device reboots, or the broker is killed, at each point of the exchange',
  needsOwnBroker: true,
  telling: (found) => {
    const behind = found.shown('messages behind a stuck PUBREL');
    const wrong = `${found.shown('lost')} lost, ${found.shown('duplicated')} twice`;
    return `${wrong}, ${behind} of ${BEHIND} behind a stuck PUBREL`;
  },
  async run(world): Promise<Outcome> {
    const reboots = POINTS.map((point) => new Exchange(world, point, 'reboot'));
    await Promise.all(reboots.map((exchange) => exchange.run()));
    world.say(`device rebooted at ${POINTS.length} points`);
    const kills = POINTS.map((point) => new Exchange(world, point, 'kill'));
    for (const exchange of kills) await exchange.run();
    world.say(`broker killed at ${POINTS.length} points`);
    const stuck = await behindStuckPubrel(world);
    const all = [...reboots, ...kills];
    const sum = (of: (exchange: Exchange) => number) =>
      all.reduce((total, exchange) => total + of(exchange), 0);
    return {
      criteria: [
        exactly(
          'points in which something broke',
          'points',
          all.length,
          sum((e) => e.struck),
        ),
        atMost(
          'lost',
          'messages',
          0,
          sum(({ stream }) => stream.tally().lost),
        ),
        atMost(
          'duplicated',
          'messages',
          0,
          sum(({ stream }) => stream.tally().duplicated),
        ),
        atMost(
          'out of order',
          'messages',
          0,
          sum(({ stream }) => stream.tally().reordered),
        ),
        atMost(
          'never acknowledged',
          'messages',
          0,
          sum(({ unacknowledged }) => unacknowledged),
        ),
        exactly('messages behind a stuck PUBREL', 'messages', BEHIND, stuck.delivered),
        atMost('until they are there', 'ms', STUCK_MS_MAX, stuck.tookMs),
      ],
      measurements: {
        points: Object.fromEntries(all.map((exchange) => [exchange.name, exchange.report()])),
        stuckPubrel: stuck,
      },
    };
  },
};

/** Some messages one way, and one break in the middle. */
class Exchange {
  readonly name: string;
  readonly stream: Stream;
  struck = 0;
  unacknowledged = MESSAGES;
  readonly #world: World;
  readonly #point: Point;
  readonly #kind: 'reboot' | 'kill';
  #moments = 0;
  #mended: Promise<void> = Promise.resolve();
  #placed: PlacedDevice | undefined;

  constructor(world: World, point: Point, kind: 'reboot' | 'kill') {
    this.#world = world;
    this.#point = point;
    this.#kind = kind;
    this.name = `${kind}-${point.name}`;
    this.stream = world.ledger.stream(this.name, 2);
  }

  async run(): Promise<void> {
    const world = this.#world;
    const name = `${world.prefix}-10-${this.name}`;
    const take = ({ payload }: { payload: Buffer | string }) =>
      world.ledger.take(payload, world.nowMs());
    const isCommand = this.#point.flow === 'command';
    const [up, down] = [`${name}/report`, `${name}/command`];
    const backend = await world.backend(`10-backend-${this.name}`, {
      behaviour: ACTUATOR,
      subscriptions: [{ topic: up, qos: 2 }],
      subscribes: 'new-session',
      onMessage: take,
    });
    this.#placed = world.place({
      clientIdentifier: name,
      behaviour: ACTUATOR,
      subscriptions: [{ topic: down, qos: 2 }],
      subscribes: 'new-session',
      onMessage: take,
      strike: (moment) => this.#strike(moment),
    });
    const { device } = this.#placed;
    device.start();
    await device.up();
    for (let i = 0; i < MESSAGES; i++) {
      const payload = this.stream.next(world.nowMs(), 40);
      const done = () => this.unacknowledged--;
      (isCommand ? backend : device).publish({
        topic: isCommand ? down : up,
        payload,
        qos: 2,
        done,
      });
    }
    const isThere = () => this.stream.distinct === MESSAGES && this.unacknowledged === 0;
    await world.until(() => this.struck > 0, SETTLE_MS);
    await this.#mended;
    await world.until(isThere, SETTLE_MS);
    await world.wait(LATE_MS);
    device.stop();
    backend.stop();
  }

  report(): Record<string, number> {
    return { ...this.stream.tally(), unacknowledged: this.unacknowledged };
  }

  #strike({ way, when, type }: PacketMoment): boolean {
    const point = this.#point;
    if (way !== point.way || when !== point.when || type !== point.type) return false;
    if (++this.#moments !== STRIKES_AT) return false;
    this.struck = 1;
    this.#mended = this.#break();
    return true;
  }

  async #break(): Promise<void> {
    const { broker } = this.#world;
    if (this.#kind === 'reboot') {
      // Behind what runs now: the packet itself must be through with it.
      await this.#world.wait(0);
      this.#placed!.device.reboot(true);
      return;
    }
    await broker.kill!();
    await broker.restart!();
  }
}

/**
 * A client that answers no PUBREL it does not know, and has forgotten all it knew: that exchange
 * can never end, and must not keep others waiting.
 */
async function behindStuckPubrel(
  world: World,
): Promise<{ readonly delivered: number; readonly tookMs: number }> {
  const name = `${world.prefix}-10-forgetful`;
  const stream = world.ledger.stream('stuck', 2);
  const placed: PlacedDevice = world.place({
    clientIdentifier: name,
    behaviour: { ...behaviourOf('espmqttclient'), clean: false, reconnect: ACTUATOR.reconnect },
    subscriptions: [{ topic: `${name}/command`, qos: 2 }],
    subscribes: 'new-session',
    onMessage: ({ payload }) => world.ledger.take(payload, world.nowMs()),
    strike: ({ way, when, type }) => {
      if (struck || way !== 'sent' || when !== 'after' || type !== PUBREC) return false;
      struck = true;
      world.clock.after(0, () => placed.device.reboot(false));
      return true;
    },
  });
  let struck = false;
  placed.device.start();
  await placed.device.up();
  const backend = await world.backend('10-stuck-backend');
  const topic = `${name}/command`;
  backend.publish({ topic, payload: 'never released', qos: 2 });
  await world.until(() => struck && placed.device.connected, SETTLE_MS);
  const startedMs = world.nowMs();
  for (let i = 0; i < BEHIND; i++) {
    backend.publish({ topic, payload: stream.next(world.nowMs()), qos: 2 });
  }
  await world.until(() => stream.distinct === BEHIND, STUCK_MS_MAX);
  const tookMs = world.nowMs() - startedMs;
  placed.device.stop();
  backend.stop();
  return { delivered: stream.distinct, tookMs };
}
