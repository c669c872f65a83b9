import type { Broker } from '../../src/broker/broker.js';
import { LocalClient } from '../../src/extensions/local-client/local-client.js';
import type { LocalClientOptions } from '../../src/extensions/local-client/options.js';
import { startBroker } from '../conformance/harness/broker-under-test.js';
import type { Setup } from '../conformance/harness/harness.js';
import { endTurnsInTheEventLoop } from '../conformance/harness/socket-harness.js';
import { VirtualTime } from '../conformance/harness/virtual-time.js';

/** A broker on virtual time whose turns end with those of the event loop. */
export class VirtualBroker {
  readonly broker: Broker;
  readonly time: VirtualTime;

  private constructor(broker: Broker, time: VirtualTime) {
    this.broker = broker;
    this.time = time;
  }

  static async start(setup: Setup = {}): Promise<VirtualBroker> {
    const time = new VirtualTime();
    const broker = await startBroker(time, setup);
    endTurnsInTheEventLoop(time);
    return new VirtualBroker(broker, time);
  }

  client(options: LocalClientOptions = {}): Promise<LocalClient> {
    const { broker, time } = this;
    return LocalClient.connect({ broker, endOfTick: time, timers: time.timers }, options);
  }

  /** Until nothing is under way any more. */
  async settle(): Promise<void> {
    do {
      this.time.run();
      await new Promise(setImmediate);
    } while (!this.time.quiet);
  }

  advance(ms: number): Promise<void> {
    return this.time.advance(ms, () => this.settle());
  }
}
