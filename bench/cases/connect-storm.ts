import { setTimeout as delay } from 'node:timers/promises';
import { type Address, LoadConnection, type LoadHandler } from '../load/connection.js';
import { LatencyHistogram } from '../load/latency-histogram.js';
import { Meter } from '../load/meter.js';
import { connectPacket, grantedReceiveMaximum, type Version } from '../load/packets.js';
import type { CaseResult, Target } from '../load/result.js';

const STORM_MS_MAX = 30_000;
const LOOK_EVERY_MS = 5;

/** All clients connect in the same moment; each must have its CONNACK in time. */
export async function runConnectStorm(
  clients: number,
  version: Version,
  { host, port, pid, webSocketPort }: Target,
): Promise<CaseResult> {
  const storm = new Storm(version);
  const address: Address = { host, port, transport: 'tcp' };
  const packets = Array.from({ length: clients }, (_, index) =>
    connectPacket({
      clientIdentifier: `storm-${index}`,
      version,
      isPersistent: false,
      topicAliasMaximum: 0,
    }),
  );
  const meter = new Meter({ host, port, pid, webSocketPort }, () => storm.accepted);
  const beganMs = performance.now();
  const connections = packets.map((packet) => {
    const connection = new LoadConnection(address, new StormClient(storm, beganMs));
    connection.write(packet);
    return connection;
  });
  while (storm.accepted + storm.refused < clients && performance.now() - beganMs < STORM_MS_MAX) {
    await delay(LOOK_EVERY_MS);
  }
  const result = meter.result();
  storm.isOver = true;
  for (const connection of connections) connection.destroy();
  const waiting = clients - storm.accepted - storm.refused;
  const { latency } = storm;
  return {
    ...result,
    unit: 'connection',
    failure:
      storm.accepted === clients
        ? undefined
        : `${storm.refused} connections were refused (${storm.cause}), ${waiting} timed out`,
    p50Ms: latency.quantile(0.5),
    p99Ms: latency.quantile(0.99),
    p999Ms: latency.quantile(0.999),
  };
}

class Storm {
  accepted = 0;
  refused = 0;
  cause = '';
  isOver = false;
  readonly version: Version;
  readonly latency = new LatencyHistogram();

  constructor(version: Version) {
    this.version = version;
  }

  refuse(cause: string): void {
    if (this.isOver) return;
    this.refused++;
    this.cause = cause;
  }
}

class StormClient implements LoadHandler {
  readonly #storm: Storm;
  readonly #beganMs: number;
  #isAccepted = false;

  constructor(storm: Storm, beganMs: number) {
    this.#storm = storm;
    this.#beganMs = beganMs;
  }

  beforeRead(): void {}

  packet(bytes: Uint8Array, start: number, _body: number, end: number): void {
    if (bytes[start]! >> 4 !== 2 || this.#isAccepted) return;
    try {
      grantedReceiveMaximum(bytes.subarray(start, end), this.#storm.version);
    } catch (error) {
      this.#storm.cause = String(error);
      return;
    }
    this.#isAccepted = true;
    this.#storm.accepted++;
    this.#storm.latency.add(performance.now() - this.#beganMs);
  }

  afterRead(): void {}

  closed(cause: string): void {
    if (this.#isAccepted && !this.#storm.isOver) this.#storm.accepted--;
    this.#storm.refuse(cause);
  }
}
