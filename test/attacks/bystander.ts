import { createInterface } from 'node:readline';
import { PacketSocket } from '../support/packet-socket.js';

/**
 * Healthy clients of several brokers, in a process of their own, so that what they measure is the
 * brokers' doing and not that of the attack. For each port a publisher sends a QoS 1 message every
 * few milliseconds and a subscriber takes it. Each line on standard input asks for what was
 * measured since the last one: a line of JSON.
 */
export interface Pulse {
  /** Messages that came. */
  readonly count: number;
  /** From PUBLISH of the one to PUBLISH at the other. Those still on their way count as well. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Connections lost. */
  readonly lost: number;
}

const EVERY_MS = 5;

class Pair {
  readonly #topic: string;
  readonly #sentMs: number[] = [];
  readonly #publisher: PacketSocket;
  readonly ready: Promise<void>;
  #latenciesMs: number[] = [];
  #lost = 0;
  #identifier = 0;

  constructor(port: number, name: string) {
    this.#topic = `pulse/${name}`;
    this.#publisher = this.#open(port, `${name}-publisher`, () => {});
    this.ready = new Promise((resolve) => {
      const subscriber = this.#open(port, `${name}-subscriber`, (packet) => {
        if (packet.cmd === 'connack') {
          const subscriptions = [{ topic: this.#topic, qos: 1 as const }];
          subscriber.send({ cmd: 'subscribe', messageId: 1, subscriptions });
        } else if (packet.cmd === 'suback') {
          resolve();
        } else if (packet.cmd === 'publish') {
          subscriber.send({ cmd: 'puback', messageId: packet.messageId ?? 0 });
          const sentMs = this.#sentMs.shift();
          if (sentMs !== undefined) this.#latenciesMs.push(performance.now() - sentMs);
        }
      });
    });
  }

  beat(): void {
    this.#identifier = (this.#identifier % 65_535) + 1;
    this.#sentMs.push(performance.now());
    this.#publisher.send({
      cmd: 'publish',
      topic: this.#topic,
      payload: 'beat',
      qos: 1,
      retain: false,
      dup: false,
      messageId: this.#identifier,
    });
  }

  take(): Pulse {
    const nowMs = performance.now();
    const waitingMs = this.#sentMs.map((sentMs) => nowMs - sentMs);
    const all = [...this.#latenciesMs, ...waitingMs].sort((one, other) => one - other);
    const pulse = {
      count: this.#latenciesMs.length,
      p50Ms: all[Math.floor(all.length * 0.5)] ?? 0,
      p99Ms: all[Math.floor(all.length * 0.99)] ?? 0,
      maxMs: all.at(-1) ?? 0,
      lost: this.#lost,
    };
    this.#latenciesMs = [];
    return pulse;
  }

  #open(
    port: number,
    name: string,
    packet: ConstructorParameters<typeof PacketSocket>[2]['packet'],
  ): PacketSocket {
    const closed = (): void => {
      this.#lost++;
    };
    const socket = new PacketSocket(port, 4, { packet, closed });
    const protocol = { protocolId: 'MQTT', protocolVersion: 4 } as const;
    socket.send({ cmd: 'connect', ...protocol, clientId: name, clean: true, keepalive: 0 });
    return socket;
  }
}

const pairs = process.argv.slice(2).map((port, i) => new Pair(Number(port), `pair-${i}`));
await Promise.all(pairs.map(({ ready }) => ready));
setInterval(() => {
  for (const pair of pairs) pair.beat();
}, EVERY_MS);
console.log('ready');
createInterface(process.stdin)
  .on('line', () => console.log(JSON.stringify(pairs.map((pair) => pair.take()))))
  .on('close', () => process.exit());
