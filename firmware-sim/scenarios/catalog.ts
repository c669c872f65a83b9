import type { Scenario } from '../scenario/scenario.js';
import { backlog } from './backlog.js';
import { batteryDay } from './battery-day.js';
import { everyday } from './everyday.js';
import { exactlyOnceActuator } from './exactly-once-actuator.js';
import { fragileParser } from './fragile-parser.js';
import { gatewayAndTiny } from './gateway-and-tiny.js';
import { halfOpen } from './half-open.js';
import { impatientResender } from './impatient-resender.js';
import { mixedFleet } from './mixed-fleet.js';
import { oversizePoison } from './oversize-poison.js';
import { resendLoop } from './resend-loop.js';
import { sameIdPingPong } from './same-id-ping-pong.js';
import { slowloris } from './slowloris.js';
import { stalledReaders } from './stalled-readers.js';
import { storm } from './storm.js';

/** In the order of their numbers. */
export const scenarios: readonly Scenario[] = [
  oversizePoison,
  fragileParser,
  backlog,
  storm,
  sameIdPingPong,
  stalledReaders,
  halfOpen,
  slowloris,
  impatientResender,
  exactlyOnceActuator,
  gatewayAndTiny,
  batteryDay,
  mixedFleet,
  everyday,
  resendLoop,
];

/** `1,3,same-id-ping-pong`; all of them without a list. */
export function chosenScenarios(list: string | undefined): readonly Scenario[] {
  if (list === undefined) return scenarios;
  return list.split(',').map((item) => {
    const wanted = item.trim();
    const found = scenarios.find(
      ({ number, name }) => name === wanted || String(number) === wanted,
    );
    if (found === undefined) {
      const known = scenarios.map(({ number, name }) => `${number} (${name})`).join(', ');
      throw new Error(`there is no scenario ${wanted}; there are ${known}`);
    }
    return found;
  });
}
