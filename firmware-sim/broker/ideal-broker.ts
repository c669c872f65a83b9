import { generate, type Packet, parser } from 'mqtt-packet';
import type { Dial } from '../link/line.js';

/**
 * What a device would meet in the best of worlds: a broker in this process that answers at once,
 * and sends nothing that was not asked for. What a device spends on it is the floor for all.
 */
export class IdealBroker {
  /** Payloads that wait for the device, at QoS 1. */
  readonly waiting: string[] = [];
  readonly #topic: string;
  #nextIdentifier = 1;

  /** `topic`: where the device gets what waits for it. */
  constructor(topic: string) {
    this.#topic = topic;
  }

  readonly dial: Dial = (events) => {
    let isOpen = true;
    const soon = (run: () => void): void => {
      setImmediate(() => {
        if (isOpen) run();
      });
    };
    const answer = (packet: Packet): void => soon(() => events.data(generate(packet)));
    const reader = parser({ protocolVersion: 4 });
    reader.on('packet', (packet) => {
      for (const reply of this.#replies(packet)) answer(reply);
    });
    const close = (): void => {
      isOpen = false;
    };
    soon(() => events.opened());
    return {
      localPort: undefined,
      write: (bytes) => void reader.parse(bytes),
      end: () => {
        soon(() => events.closed(false));
        setImmediate(close);
      },
      reset: close,
      pause: () => {},
      resume: () => {},
    };
  };

  #replies(packet: Packet): Packet[] {
    switch (packet.cmd) {
      case 'connect':
        return [
          { cmd: 'connack', returnCode: 0, sessionPresent: !packet.clean },
          ...this.waiting.splice(0).map((payload) => this.#publish(payload)),
        ];
      case 'publish':
        return packet.qos === 1 ? [{ cmd: 'puback', messageId: packet.messageId! }] : [];
      case 'pingreq':
        return [{ cmd: 'pingresp' }];
      default:
        return [];
    }
  }

  #publish(payload: string): Packet {
    const messageId = this.#nextIdentifier++;
    const flags = { qos: 1, dup: false, retain: false } as const;
    return { cmd: 'publish', topic: this.#topic, payload, messageId, ...flags };
  }
}
