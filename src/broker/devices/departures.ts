import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import type { Connection } from '../../session/connection.js';
import { type Delivery, DeliveryState } from '../../session/delivery.js';
import type { ResentPacket } from '../../session/delivery-watch.js';
import type { Device } from '../../session/device.js';
import type { DisconnectCause } from '../../session/host.js';
import { CLOSED_BY_CLIENT } from '../../session/network-connection.js';
import type { Session } from '../../session/session.js';
import type { Statistics } from '../../session/statistics.js';
import { ReasonCode } from '../../wire/reason-code.js';
import type { DeviceRules } from './device-options.js';
import { IgnoredMessages } from './ignored-messages.js';
import { isReleasedAgain, type Quarantine } from './quarantine.js';
import { type PubrelEnd, ResendLoops } from './resend-loops.js';
import { StepDown } from './step-down.js';
import { Suspects } from './suspects.js';

/** A drop this soon behind a message has to do with it. */
const DROP_BEHIND_MS = 5000;
/** A connection is young for so long. */
const YOUNG_MS = 10_000;

/** What 5.0 clients say when a packet was too much for them. */
const OVERTAXED: readonly ReasonCode[] = [
  ReasonCode.MalformedPacket,
  ReasonCode.PacketTooLarge,
  ReasonCode.ReceiveMaximumExceeded,
];

/** Messages of a Session that were passed over; beyond, those of before are forgotten. */
const REMEMBERED_MAX = 1000;
const NOTHING: ReadonlySet<number> = new Set();

const REPEATS_ADVICE =
  'either its link breaks before the answer is there, or it does not take PUBACK, PUBREC or PUBCOMP';

/** Finds out from how a device leaves what it could not take, and what follows from that. */
export class Departures {
  readonly #rules: DeviceRules;
  readonly #clock: Clock;
  readonly #statistics: Statistics;
  readonly #log: Logger;
  readonly #quarantine: Quarantine;
  readonly #learned: (device: Device) => void;
  readonly #stepDown = new StepDown();
  readonly #suspects = new Suspects();
  readonly #loops = new ResendLoops();
  readonly #ignored = new IgnoredMessages();
  readonly #patienceMs: (connection: Connection) => number;
  /** By sequence, what was passed over on connections of a Session that is kept. */
  readonly #passedOver = new WeakMap<Session, ReadonlySet<number>>();

  constructor(parts: {
    readonly rules: DeviceRules;
    readonly clock: Clock;
    readonly statistics: Statistics;
    readonly log: Logger;
    readonly quarantine: Quarantine;
    readonly learned: (device: Device) => void;
    /** How long a message may be passed over. */
    readonly patienceMs: (connection: Connection) => number;
  }) {
    this.#patienceMs = parts.patienceMs;
    this.#rules = parts.rules;
    this.#clock = parts.clock;
    this.#statistics = parts.statistics;
    this.#log = parts.log;
    this.#quarantine = parts.quarantine;
    this.#learned = parts.learned;
  }

  /** The device is back: has it been calm for long enough to be stepped up? */
  calm(device: Device): void {
    if (!this.#stepDown.calm(device, this.#clock.wallMs())) return;
    const client = device.clientIdentifier;
    const window = device.steppedDownTo;
    const now = window === 0 ? 'it is served as any other' : `it gets up to ${window} at a time`;
    this.#log.info(
      { event: 'stepped_up', client, window },
      `Client ${client} has been calm for ${Math.round(device.calmMs / 60_000)} minutes: ${now}`,
    );
  }

  passedOverBefore(session: Session): ReadonlySet<number> {
    return this.#passedOver.get(session) ?? NOTHING;
  }

  /** The device is gone; its Session still has what was in flight. */
  left(connection: Connection, session: Session, device: Device, cause: DisconnectCause): void {
    const { watch, watching } = session.outbound;
    if (watch?.isDeaf === true && session.isStored && wasThere(cause)) device.deafConnections++;
    else if (watch?.hasAcknowledged === true) device.deafConnections = 0;
    if (cause.kind === 'server-shutdown') return;
    const repeats = this.#loops.repeated(device, watching?.firstResent);
    if (repeats > 0) this.#tellRepeats(device, watching!.firstResent!, repeats);
    // Whose old connection ends because it is back already has not said how it ended.
    if (cause.kind === 'taken-over') return;
    this.#lookForIgnored(connection, session, device, cause);
    const isByDevice = isDrop(cause) && connection.network.unsentBytes === 0;
    const released = watching === undefined ? undefined : firstReleasedAgain(session);
    const isPubrelEnd = isByDevice && released !== undefined && watch?.hasAcknowledged !== true;
    const end = isPubrelEnd ? pubrelEnd(released, isOrderly(cause)) : undefined;
    const exits = this.#loops.left(device, end, this.#clock.nowMs);
    if (exits > 0) this.#quarantine.leavesAtPubrel(device, session, exits);
    // What has not left altogether is not what the device answered to.
    if (isByDevice) this.#dropped(connection, session, device, isOrderly(cause), isPubrelEnd);
  }

  /** Messages that the device passes over each time it is here for a moment. */
  #lookForIgnored(
    connection: Connection,
    session: Session,
    device: Device,
    cause: DisconnectCause,
  ): void {
    const { watch } = session.outbound;
    if (watch === undefined || !session.isStored) return;
    const passedOver = watch.passedOver();
    this.#remember(session, passedOver);
    const isOwnEnd = cause.kind === 'client-disconnect' || (isDrop(cause) && isOrderly(cause));
    if (!isOwnEnd) return;
    // Whoever took long once may do so again.
    const patienceMs = Math.max(this.#patienceMs(connection), 2 * device.latency.maxMs);
    const never = this.#ignored.left(device, passedOver, this.#clock.nowMs, patienceMs);
    if (never.length > 0) this.#quarantine.neverTaken(device, session, never);
  }

  #remember(session: Session, passedOver: readonly Delivery[]): void {
    if (passedOver.length === 0) return;
    const before = this.passedOverBefore(session);
    const kept = before.size < REMEMBERED_MAX ? before : NOTHING;
    const sequences = passedOver.map(({ sequence }) => sequence);
    this.#passedOver.set(session, new Set([...kept, ...sequences]));
  }

  /** The device has dropped its connection: because of what it was sent? */
  #dropped(
    connection: Connection,
    session: Session,
    device: Device,
    isInOrder: boolean,
    isPubrelFirst: boolean,
  ): void {
    const { nowMs } = this.#clock;
    const isBehindMessages = nowMs - connection.publishedMs <= DROP_BEHIND_MS;
    // PUBREL went before all messages: none of them can be told to be the reason.
    if (isPubrelFirst) {
      if (isBehindMessages) device.drops++;
      return;
    }
    const oldest = session.isStored ? session.outbound.watch?.oldestUnacknowledged : undefined;
    const inFlight = countInFlight(session);
    const evidence = { delivery: oldest, inFlight, isOrderly: isInOrder, isBehindMessages };
    const isAtFault = this.#suspects.dropped(device, evidence, nowMs);
    if (!isBehindMessages) return;
    device.drops++;
    if (isAtFault) this.#quarantine.dropsAt(device, session, oldest!);
    else this.#countBurst(connection, device, oldest, inFlight);
  }

  #countBurst(
    connection: Connection,
    device: Device,
    oldest: Delivery | undefined,
    inFlight: number,
  ): void {
    const { nowMs } = this.#clock;
    const nowWallMs = this.#clock.wallMs();
    // At QoS 0 only those are told that come at once, such as retained messages.
    const isYoung = nowWallMs - device.connectedAtWallMs < YOUNG_MS;
    const isBurst = inFlight > 1 || (isYoung && (connection.sender?.sentCount ?? 0) > 1);
    if (!isBurst || !(this.#rules.setting(connection, 'stepDown') ?? true)) return;
    const sequence = oldest?.sequence ?? 0;
    const isLink = this.#suspects.isLink(device, nowMs);
    const drops = this.#stepDown.dropped(device, { nowMs, nowWallMs, sequence, isLink });
    if (drops === 0) return;
    this.#learned(device);
    this.#tellSteppedDown(device, drops);
  }

  #tellSteppedDown(device: Device, drops: number): void {
    this.#statistics.stepDowns++;
    const client = device.clientIdentifier;
    const times = drops === 1 ? 'again' : `${drops} times`;
    const did = `dropped its connection ${times} shortly behind a burst of messages`;
    this.#log.warn(
      { event: 'stepped_down', client, drops },
      `Client ${client} ${did}: from its next connection on it gets one packet at a time`,
    );
  }

  #tellRepeats(device: Device, resent: ResentPacket, connections: number): void {
    device.resendLoops++;
    this.#statistics.resendLoops++;
    const client = device.clientIdentifier;
    const { type: packet, packetIdentifier: identifier } = resent;
    const did = `has sent the same ${packet} (identifier ${identifier}) again first`;
    const when = `on each of its last ${connections} connections, though it was answered each time`;
    this.#log.warn(
      { event: 'resend_loop', client, packet, identifier, connections },
      `Client ${client} ${did} ${when}: ${REPEATS_ADVICE}`,
    );
  }
}

/** The device itself ended the connection, and not by a proper goodbye. */
function isDrop({ kind, reasonCode }: DisconnectCause): boolean {
  return (
    kind === 'network' || (kind === 'client-disconnect-with-will' && OVERTAXED.includes(reasonCode))
  );
}

/** A reset or a time-out may be the link's doing; this is not. */
function isOrderly({ kind, sentence }: DisconnectCause): boolean {
  return kind !== 'network' || sentence === CLOSED_BY_CLIENT;
}

/** The connection did not end because nobody was there any more. */
function wasThere({ kind }: DisconnectCause): boolean {
  return kind === 'network' || kind === 'taken-over' || kind.startsWith('client-disconnect');
}

/** Of the exchanges whose PUBREL was sent again on this connection the first. */
function firstReleasedAgain({ outbound }: Session): Delivery | undefined {
  for (const delivery of outbound.deliveriesInFlight()) {
    if (isReleasedAgain(delivery)) return delivery;
  }
  return undefined;
}

function pubrelEnd({ sequence, sentMs }: Delivery, isInOrder: boolean): PubrelEnd {
  return { sequence, sentMs, isOrderly: isInOrder };
}

function countInFlight(session: Session): number {
  let count = 0;
  for (const { sentMs, state } of session.outbound.deliveriesInFlight()) {
    if (sentMs > 0 && state === DeliveryState.InFlight) count++;
  }
  return count;
}
