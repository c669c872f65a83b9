import type { Behaviour } from '../device/behaviour.js';
import { behaviourOf } from '../device/libraries.js';
import { atLeast, atMost, exactly } from '../scenario/criterion.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';
import type { PlacedDevice, World } from '../scenario/world.js';

const [PUBREC, PUBREL] = [5, 6] as const;

/** Messages that wait behind the exchange that the device has forgotten. */
const BEHIND = 5;
const CONNECTIONS_MAX = 20;
/** The loop has ended where the device stays for so long. */
const CALM_MS = 3_000;
/** Dunlin's word; another broker has none. */
const TOLD = /resend_loop/;

const SETTLE_MS = 20_000;
/** Real ones come back at once; a little later tells as much. */
const RECONNECT = { firstMs: 700, factor: 1, maxMs: 700 };

export const resendLoop: Scenario = {
  number: 15,
  name: 'resend-loop',
  about:
    'MQTT-C with a session is cut off behind PUBREC, and takes the PUBREL sent again for an error',
  telling: (found) => {
    const behind = found.shown('messages behind the loop that arrive');
    return `${behind} of ${BEHIND} messages behind it, ${found.shown('connections')} connections`;
  },
  async run(world): Promise<Outcome> {
    const name = `${world.prefix}-15-mqtt-c`;
    const topic = `${name}/command`;
    const stream = world.ledger.stream('behind', 1);
    const { device, seen } = place(world, name, topic);
    device.start();
    await device.up();
    const backend = await world.backend('15-backend');
    backend.publish({ topic, payload: 'act once', qos: 2 });
    await world.until(() => seen.struck, SETTLE_MS);
    for (let i = 0; i < BEHIND; i++) {
      backend.publish({ topic, payload: stream.next(world.nowMs(), 40), qos: 1 });
    }
    const startedMs = world.nowMs();
    const isThere = () => stream.distinct === BEHIND && device.connected;
    await world.until(isThere, world.pick(30_000, 60_000));
    const tookMs = world.nowMs() - startedMs;
    const { connections } = device.report;
    await world.wait(CALM_MS);
    const later = device.report.connections - connections;
    device.stop();
    backend.stop();
    const lines = world.logLines(name, TOLD);
    return {
      criteria: [
        exactly('PUBREL cut off', 'times', 1, seen.struck ? 1 : 0),
        exactly('messages behind the loop that arrive', 'messages', BEHIND, stream.distinct),
        atMost('connections', 'connections', CONNECTIONS_MAX, connections),
        exactly('connections once they are there', 'connections', 0, later),
        exactly('handed on twice', 'messages', 0, Math.max(0, seen.acted - 1)),
        atLeast('log lines that say why', 'lines', 1, lines?.length),
        atMost('log lines at most', 'lines', 1, lines?.length),
      ],
      measurements: {
        seconds: tookMs / 1000,
        drops: Object.fromEntries(device.report.drops),
        pubrelsReceived: seen.pubrels,
        logLine: lines?.[0] ?? null,
      },
    };
  },
};

interface Seen {
  struck: boolean;
  pubrels: number;
  acted: number;
}

/** Its connection breaks in the moment in which PUBREC has left. */
function place(world: World, name: string, topic: string): PlacedDevice & { readonly seen: Seen } {
  const seen: Seen = { struck: false, pubrels: 0, acted: 0 };
  const behaviour: Behaviour = {
    ...behaviourOf('mqtt-c'),
    clean: false,
    reconnect: RECONNECT,
  };
  const placed: PlacedDevice = world.place({
    clientIdentifier: name,
    behaviour,
    subscriptions: [{ topic, qos: 2 }],
    subscribes: 'new-session',
    onMessage: ({ payload, qos }) => {
      if (qos === 2) seen.acted++;
      else world.ledger.take(payload, world.nowMs());
    },
    strike: ({ way, when, type }) => {
      if (way === 'received' && when === 'before' && type === PUBREL) seen.pubrels++;
      if (seen.struck || way !== 'sent' || when !== 'after' || type !== PUBREC) return false;
      seen.struck = true;
      world.clock.after(0, () => placed.device.reconnect());
      return true;
    },
  });
  return { ...placed, seen };
}
