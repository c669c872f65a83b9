import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import type { Connection } from '../../session/connection.js';
import { type Delivery, DeliveryState } from '../../session/delivery.js';
import type { DeliveryJudge, DeliveryWatch } from '../../session/delivery-watch.js';
import { type Device, UNLIMITED } from '../../session/device.js';
import type { Session } from '../../session/session.js';
import type { Statistics } from '../../session/statistics.js';
import type { PublishFrame } from '../../wire/publish-frame.js';
import { likelyBufferBytes } from './buffer-size.js';
import type { DeadLetters } from './dead-letters.js';
import { messageOf } from './message-of.js';

const FORGETFUL_ADVICE = [
  'what was received had arrived. It has lost its session and takes the packet for an error',
  'as MQTT-C does (MQTT_ERROR_ACK_OF_UNKNOWN): let it connect with a clean session',
  '(MQTT_CONNECT_CLEAN_SESSION), or subscribe at QoS 1',
];

const DEAD_LATER = 'and what it never acknowledges becomes a dead letter';

/** So many messages larger than any that was taken tell of a limit; one or two may be long jobs. */
const LIMIT_MESSAGES_MIN = 3;
/** Whoever took so long for an acknowledgement works on its messages: their size tells nothing. */
const WORKER_MS = 60_000;

export interface QuarantineParts {
  readonly deadLetters: DeadLetters;
  readonly clock: Clock;
  readonly statistics: Statistics;
  readonly log: Logger;
  readonly sessionOf: (clientIdentifier: string) => Session | undefined;
  /** Something was learned that is to outlive the process. */
  readonly learned: (device: Device) => void;
}

/**
 * Takes messages that a device cannot take out of its way, and learns from them how large a packet
 * may be. The device lives, the messages are kept apart, and one log line tells its makers why.
 */
export class Quarantine implements DeliveryJudge {
  readonly #deadLetters: DeadLetters;
  readonly #clock: Clock;
  readonly #statistics: Statistics;
  readonly #log: Logger;
  readonly #sessionOf: (clientIdentifier: string) => Session | undefined;
  readonly #learned: (device: Device) => void;
  /** Of these it was told that others go past what they hold. */
  readonly #told = new WeakSet<Device>();

  constructor(parts: QuarantineParts) {
    this.#deadLetters = parts.deadLetters;
    this.#clock = parts.clock;
    this.#statistics = parts.statistics;
    this.#log = parts.log;
    this.#sessionOf = parts.sessionOf;
    this.#learned = parts.learned;
  }

  slow({ device }: DeliveryWatch, deliveries: readonly Delivery[]): void {
    if (this.#told.has(device)) return;
    this.#told.add(device);
    const client = device.clientIdentifier;
    const count = deliveries.length;
    const bytes = Math.min(...deliveries.map(({ sentBytes }) => sentBytes));
    const which = count === 1 ? `one of ${bytes} bytes` : `${count} of ${bytes} bytes or more`;
    const that = count === 1 ? 'that' : 'those';
    this.#log.warn(
      { event: 'passed_over', client, count, bytes, taken: device.largestAcknowledgedBytes },
      `Client ${client} acknowledges messages behind ${which} and not ${that}: others go past, ${DEAD_LATER}`,
    );
  }

  slowToComplete({ device }: DeliveryWatch, { packetIdentifier: identifier }: Delivery): void {
    const client = device.clientIdentifier;
    this.#log.warn(
      { event: 'pubrel_unanswered', client, identifier },
      `Client ${client} has not answered PUBREL ${identifier} for a minute: others go past it, its message had arrived`,
    );
  }

  passedOver({ device }: DeliveryWatch, deliveries: readonly Delivery[]): void {
    const session = this.#sessionOf(device.clientIdentifier);
    if (session === undefined) return;
    this.neverTaken(device, session, deliveries);
    session.outbound.pump();
  }

  /** The device takes what is sent behind these, and never these. */
  neverTaken(device: Device, session: Session, deliveries: readonly Delivery[]): void {
    const taken = device.largestAcknowledgedBytes;
    const larger = deliveries.filter(({ sentBytes }) => sentBytes > taken);
    const isBySize = larger.length >= LIMIT_MESSAGES_MIN && device.latency.maxMs < WORKER_MS;
    if (!isBySize) {
      const what = 'acknowledges messages behind this one but never this one';
      this.#takeOut(session, device, deliveries, { what, taken, isBySize });
      return;
    }
    const least = Math.min(...larger.map(({ sentBytes }) => sentBytes));
    this.#learn(device, least - 1, session.connection);
    const victims = new Set([...deliveries, ...inFlightAbove(session, least - 1)]);
    const limit = likelyBufferBytes(taken, least) || least - 1;
    const what = `never acknowledges packets over ${limit} bytes`;
    this.#takeOut(session, device, [...victims], { what, taken, isBySize });
  }

  tookAfterAll({ device }: DeliveryWatch, ageMs: number): void {
    // From now on it has twice as long.
    device.addLatency(ageMs);
    const client = device.clientIdentifier;
    const bytes = device.packetBytesMax;
    if (bytes === UNLIMITED) return;
    device.packetBytesMax = UNLIMITED;
    const connection = this.#sessionOf(client)?.connection;
    connection?.sender?.learnPacketBytes(UNLIMITED);
    this.#learned(device);
    this.#log.info(
      { event: 'packet_limit_forgotten', client, bytes },
      `Client ${client} is sent packets over ${bytes} bytes again: it acknowledged one after ${Math.round(ageMs / 1000)} s`,
    );
  }

  /** The message makes the device drop its connection. */
  dropsAt(device: Device, session: Session, delivery: Delivery): void {
    const taken = device.largestAcknowledgedBytes;
    const isBySize = taken > 0 && delivery.sentBytes > taken;
    if (isBySize) this.#learn(device, delivery.sentBytes - 1, undefined);
    const limit = likelyBufferBytes(taken, delivery.sentBytes) || delivery.sentBytes - 1;
    const what = isBySize
      ? `drops its connection at packets over ${limit} bytes`
      : `drops its connection each time it is sent this message of ${delivery.sentBytes} bytes`;
    this.#takeOut(session, device, [delivery], { what, taken, isBySize });
  }

  notCompleted({ device }: DeliveryWatch, delivery: Delivery): void {
    const session = this.#sessionOf(device.clientIdentifier);
    session?.outbound.abandon(delivery);
    session?.outbound.pump();
  }

  /** The device leaves whenever it is sent PUBREL for an exchange that it has forgotten. */
  leavesAtPubrel(device: Device, session: Session, connections: number): void {
    const { outbound } = session;
    const released = [...outbound.deliveriesInFlight()].filter(isReleasedAgain);
    for (const delivery of released) outbound.abandon(delivery);
    const count = released.length;
    const client = device.clientIdentifier;
    const { packetIdentifier: identifier } = released[0]!;
    device.resendLoops++;
    this.#statistics.resendLoops++;
    const many = count === 1 ? 'The exchange is' : `${count} exchanges are`;
    const did = `ended its last ${connections} connections at PUBREL ${identifier}`;
    const [arrived, asMqttC, advice] = FORGETFUL_ADVICE;
    this.#log.warn(
      { event: 'resend_loop', client, packet: 'PUBREL', identifier, connections, count },
      `Client ${client} ${did}, which it was sent again. ${many} ended, ${arrived}, ${asMqttC} ${advice}`,
    );
  }

  tooLarge(watch: DeliveryWatch, delivery: Delivery, frame: PublishFrame): boolean {
    const { device } = watch;
    const session = this.#sessionOf(device.clientIdentifier);
    if (session === undefined) return false;
    device.oversize++;
    device.deadLettered++;
    this.#statistics.deadLettered++;
    this.#deadLetters.publishLater({
      session,
      message: delivery.message ?? messageOf(frame, delivery.qos, this.#clock),
      reason: `larger than the ${device.packetBytesMax} bytes that this client is known to take`,
      packetBytes: frame.topic.length + frame.payloadBytes,
    });
    return true;
  }

  #learn(device: Device, packetBytesMax: number, connection: Connection | undefined): void {
    if (packetBytesMax >= device.packetBytesMax) return;
    device.packetBytesMax = packetBytesMax;
    device.learnedAtWallMs = this.#clock.wallMs();
    connection?.sender?.learnPacketBytes(packetBytesMax);
    this.#learned(device);
  }

  #takeOut(
    session: Session,
    device: Device,
    deliveries: readonly Delivery[],
    why: { readonly what: string; readonly taken: number; readonly isBySize: boolean },
  ): void {
    const { clientIdentifier } = device;
    const largest = Math.max(...deliveries.map(({ sentBytes }) => sentBytes));
    let topic = '';
    for (const delivery of deliveries) {
      const { message, sentBytes } = delivery;
      if (message !== undefined) {
        topic = this.#deadLetters.topicFor(clientIdentifier, message.topicName);
        const reason = `${clientIdentifier} ${why.what}`;
        this.#deadLetters.publish({ session, message, reason, packetBytes: sentBytes });
      }
      session.outbound.abandon(delivery);
    }
    const count = deliveries.length;
    device.deadLettered += count;
    if (why.isBySize) device.oversize += count;
    this.#statistics.deadLettered += count;
    // The messages were at fault, not the pace.
    device.steppedDownTo = 0;
    device.deafConnections = 0;
    this.#told.delete(device);
    const likely = why.isBySize ? likelyBufferBytes(why.taken, device.packetBytesMax + 1) : 0;
    const buffer = likely > 0 ? `: its receive buffer is probably ${likely} bytes` : '';
    const many = count === 1 ? 'The message was' : `${count} messages were`;
    const where = topic === '' ? 'given up' : `moved to ${topic}`;
    this.#log.warn(
      {
        event: 'quarantined',
        client: clientIdentifier,
        count,
        bytes: largest,
        topic,
        taken: why.taken,
      },
      `Client ${clientIdentifier} ${why.what}${buffer}. ${many} ${where}`,
    );
  }
}

function inFlightAbove(session: Session, packetBytes: number): Delivery[] {
  return [...session.outbound.deliveriesInFlight()].filter(
    ({ sentMs, sentBytes, state }) =>
      sentMs > 0 && sentBytes > packetBytes && state === DeliveryState.InFlight,
  );
}

/** PUBREL was sent on this connection for an exchange of an earlier one. */
export function isReleasedAgain({ state, sentMs, sentBytes }: Delivery): boolean {
  return state === DeliveryState.Released && sentMs > 0 && sentBytes === 0;
}

/** Whether a limit was learned and has not been forgotten. */
export function hasLearned(device: Device): boolean {
  return device.packetBytesMax !== UNLIMITED;
}
