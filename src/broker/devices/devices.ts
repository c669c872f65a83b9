import { type Clock, type EndOfTick, TimerEntry, type Timers } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import { shortKey } from '../../base/short-key.js';
import type { Connection } from '../../session/connection.js';
import { type WatchContext, Watching } from '../../session/delivery-watch.js';
import { type Device, UNLIMITED } from '../../session/device.js';
import type { DropCounter, Drops } from '../../session/drops.js';
import type { DisconnectCause } from '../../session/host.js';
import type { Limits } from '../../session/limits.js';
import type { Pace } from '../../session/paced-network.js';
import type { Session } from '../../session/session.js';
import { DropReason, type Statistics } from '../../session/statistics.js';
import type { Connect } from '../../wire/control-packet.js';
import { grantedInFlight, grantedKeepAliveSeconds } from '../capabilities.js';
import type { PublishPath } from '../publish-path.js';
import type { RetainedMessages } from '../retained.js';
import type { DeviceRecord, Store } from '../store.js';
import { DeadLetters } from './dead-letters.js';
import { Departures } from './departures.js';
import { DeviceKeeper } from './device-keeper.js';
import { type DeviceOptions, DeviceRules } from './device-options.js';
import { DeviceRegistry } from './device-registry.js';
import { type DeviceHealth, healthOf, type Service } from './health.js';
import { HealthTopics } from './health-topics.js';
import { Orphans } from './orphans.js';
import { hasLearned, Quarantine } from './quarantine.js';
import { type Finding, type KernelQueues, StalledReaders } from './stalled-readers.js';
import { TakeOverGuard } from './take-over-guard.js';

/** Between QoS 0 messages to a device that is stepped down. */
const QUIET_MS = 100;
/** Messages beyond the window for clients that name no Receive Maximum. */
const LEGACY_PROBE_MAX = 32;
/** Beyond this many they are not shared any more with those of before. */
const FINGERPRINTS_MAX = 1000;

const SHARED_ADVICE =
  'they drive each other out. Give each its own; until then they are slowed down, their wills held back';

const ORPHAN_ADVICE =
  'give the device a Client Identifier that stays the same, or let it ask for a clean session';

/** How a client is served from CONNACK on. */
export interface Treatment {
  readonly inFlightMax: number;
  readonly packetBytesMax: number;
  readonly pace: Pace | undefined;
  /** Undefined leaves it to client and limits. */
  readonly serverKeepAliveSeconds: number | undefined;
  /** Longest silence, whatever the Keep Alive; 0 leaves it to that. */
  readonly idleSecondsMax: number;
}

export interface DevicesParts {
  readonly options: DeviceOptions;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly endOfTick: EndOfTick;
  readonly limits: Limits;
  readonly statistics: Statistics;
  readonly drops: Drops;
  readonly log: Logger;
  readonly publishPath: PublishPath;
  readonly retained: RetainedMessages;
  readonly store: Pick<Store, 'putDevice' | 'removeDevice'>;
  readonly kernelQueues?: KernelQueues | undefined;
  readonly sessionOf: (clientIdentifier: string) => Session | undefined;
}

/**
 * The broker's side of small devices: what it knows of each, and what follows from it when one
 * connects, goes, or is replaced.
 */
export class Devices implements DropCounter {
  readonly registry: DeviceRegistry;
  readonly stalled: StalledReaders;
  readonly #options: DeviceOptions;
  readonly #rules: DeviceRules;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #statistics: Statistics;
  readonly #log: Logger;
  readonly #sessionOf: (clientIdentifier: string) => Session | undefined;
  readonly #keeper: DeviceKeeper;
  readonly #quarantine: Quarantine;
  readonly #watchContext: WatchContext;
  readonly #fingerprints = new Map<string, string>();
  readonly #departures: Departures;
  readonly #guard = new TakeOverGuard();
  /** The last one of each Client Identifier that waits to be let in. */
  readonly #held = new Map<string, Connection>();
  readonly #orphans = new Orphans();

  constructor(parts: DevicesParts) {
    const { options } = parts;
    parts.drops.counter = this;
    this.#options = options;
    this.#rules = new DeviceRules(options.rules);
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#statistics = parts.statistics;
    this.#log = parts.log;
    this.#sessionOf = parts.sessionOf;
    this.registry = new DeviceRegistry(options.devicesMax, (device) =>
      this.#keeper.forgotten(device),
    );
    const serviceOf = (device: Device): Service | undefined => this.#serviceOf(device);
    this.#keeper = new DeviceKeeper({
      ...parts,
      registry: this.registry,
      topics:
        options.healthTopics === 'off' ? undefined : new HealthTopics({ ...parts, serviceOf }),
      keptSeconds: options.learnedSeconds,
    });
    this.stalled = new StalledReaders({
      ...parts,
      isWatched: (connection) => this.#rules.setting(connection, 'stalledReaders') ?? true,
      found: (connection, what) => this.#found(connection, what),
    });
    this.#quarantine = new Quarantine({
      ...parts,
      deadLetters: new DeadLetters(parts),
      learned: (device) => this.#keeper.learned(device),
    });
    this.#departures = new Departures({
      ...parts,
      patienceMs: (connection) => this.#patienceMs(connection),
      rules: this.#rules,
      quarantine: this.#quarantine,
      learned: (device) => this.#keeper.learned(device),
    });
    const patienceMs = options.patienceSeconds * 1000;
    this.#watchContext = { ...parts, judge: this.#quarantine, patienceMs };
  }

  /** A client is let in: how it is served. Begins to watch its deliveries. */
  admit(connection: Connection, connect: Connect, session: Session, inFlight: number): Treatment {
    const rules = this.#rules;
    const device = this.registry.see(connection.clientIdentifier);
    device.connectedAtWallMs = this.#clock.wallMs();
    device.countConnection(device.connectedAtWallMs);
    this.#keeper.changed(device);
    if (device.firstSeenWallMs === 0) device.firstSeenWallMs = device.connectedAtWallMs;
    this.#forget(device, connect);
    if (device.connections === 1 && session.isStored) this.#lookForOrphans(device, connection);
    this.#departures.calm(device);
    const inFlightMax = this.#inFlightMax(connection, device, inFlight);
    if (rules.setting(connection, 'quarantine') ?? true) {
      const most =
        connect.protocolVersion === 5
          ? {
              probeMax: connect.receiveMaximum - inFlightMax,
              receiveMaximum: connect.receiveMaximum,
            }
          : { probeMax: LEGACY_PROBE_MAX, receiveMaximum: Number.POSITIVE_INFINITY };
      const before = this.#departures.passedOverBefore(session);
      const patienceMs = this.#patienceMs(connection);
      const isCommon = patienceMs === this.#watchContext.patienceMs;
      const context = isCommon ? this.#watchContext : { ...this.#watchContext, patienceMs };
      session.outbound.watching = new Watching(device, connection, most, before, context);
    }
    return {
      inFlightMax,
      packetBytesMax: this.#packetBytesMax(connection, device),
      pace: this.#pace(connection, device.steppedDownTo > 0),
      serverKeepAliveSeconds: rules.setting(connection, 'serverKeepAliveSeconds'),
      idleSecondsMax: rules.setting(connection, 'idleSecondsMax') ?? 0,
    };
  }

  /** The client is gone; its Session still has what was in flight. */
  left(connection: Connection, session: Session, cause: DisconnectCause): void {
    if (cause.kind === 'keep-alive-timeout') this.#statistics.keepAliveTimeouts++;
    const device = this.registry.get(session.clientIdentifier);
    if (device === undefined) return;
    device.leftAtWallMs = this.#clock.wallMs();
    device.countEnd(cause.kind);
    this.#keeper.changed(device);
    this.#departures.left(connection, session, device, cause);
  }

  /**
   * A new connection is about to replace `current`, or one that waits to be let in: how long it has
   * to wait in milliseconds, or undefined where it must be refused.
   */
  holdTakeOver(connection: Connection, current: Connection | undefined): number | undefined {
    const { clientIdentifier } = connection;
    // Whoever came before is let in before, also where the one they wait to replace is gone.
    const previous = this.#held.get(clientIdentifier) ?? current;
    if (previous === undefined) return 0;
    this.registry.see(clientIdentifier).takeOvers++;
    if (!(this.#rules.setting(connection, 'takeOverDamping') ?? true)) {
      return 0;
    }
    const { holdMs, isDetected } = this.#guard.judge(clientIdentifier, this.#clock.nowMs);
    if (isDetected) {
      const [one, other] = [previous.network.peer.address, connection.network.peer.address];
      this.#log.warn(
        { event: 'identifier_ping_pong', client: clientIdentifier, address: other, previous: one },
        `Two clients use the Client Identifier ${clientIdentifier}, one at ${one} and one at ${other}: ${SHARED_ADVICE}`,
      );
    }
    if (holdMs !== 0) this.#statistics.takeOversHeld++;
    return holdMs;
  }

  /** Whether a client that is replaced now leaves no will. */
  withholdsWill(clientIdentifier: string): boolean {
    if (!this.#guard.isDamped(clientIdentifier, this.#clock.nowMs)) return false;
    this.#statistics.willsWithheld++;
    return true;
  }

  countDrop(clientIdentifier: string, reason: DropReason): void {
    const isSlow = reason === DropReason.OutboxFull;
    if (!isSlow && reason !== DropReason.PacketTooLarge) return;
    const device = this.registry.get(clientIdentifier);
    if (device === undefined) return;
    this.#keeper.changed(device);
    if (isSlow) device.droppedQoS0++;
    else device.oversize++;
  }

  /** What is known of all clients seen since the start, those seen last at the end. */
  health(countMax: number = Number.POSITIVE_INFINITY): DeviceHealth[] {
    const nowWallMs = this.#clock.wallMs();
    return [...this.registry.all()].slice(-countMax).map((device) => {
      return healthOf(device, this.#serviceOf(device), nowWallMs);
    });
  }

  /** From the store, before the start. */
  restore(record: DeviceRecord): void {
    this.#keeper.restore(record);
  }

  start(): void {
    this.#keeper.start();
  }

  /** What has changed is stored now: the broker ends. */
  stop(): void {
    this.#keeper.keep();
  }

  /** Calls `then` after this time; until then it is the next one to be let in. */
  hold(connection: Connection, delayMs: number, then: () => void): void {
    const { clientIdentifier } = connection;
    this.#held.set(clientIdentifier, connection);
    const letIn = (): void => {
      if (this.#held.get(clientIdentifier) === connection) this.#held.delete(clientIdentifier);
      then();
    };
    this.#timers.arm(new TimerEntry(letIn), delayMs);
  }

  #patienceMs(connection: Connection): number {
    const ruled = this.#rules.setting(connection, 'patienceSeconds');
    return (ruled ?? this.#options.patienceSeconds) * 1000;
  }

  #inFlightMax(connection: Connection, device: Device, inFlight: number): number {
    const ruled = this.#rules.setting(connection, 'inFlightMax') ?? UNLIMITED;
    const learned = device.steppedDownTo > 0 ? device.steppedDownTo : UNLIMITED;
    return Math.min(inFlight, ruled, learned);
  }

  #packetBytesMax(connection: Connection, device: Device): number {
    const ruled = this.#rules.setting(connection, 'packetBytesMax') ?? UNLIMITED;
    return Math.min(device.packetBytesMax, ruled);
  }

  /** Worked out again when somebody asks: no connection keeps it. */
  #serviceOf(device: Device): Service | undefined {
    const connection = this.#sessionOf(device.clientIdentifier)?.connection;
    const connect = connection?.connect;
    if (connection === undefined || connect === undefined) return undefined;
    const rules = this.#rules;
    const { limits } = connection;
    const packetBytesMax = Math.min(
      this.#packetBytesMax(connection, device),
      connect.maximumPacketSizeBytes ?? UNLIMITED,
    );
    const pace = this.#pace(connection, device.steppedDownTo > 0);
    const serverKeepAliveSeconds = rules.setting(connection, 'serverKeepAliveSeconds');
    return {
      inFlightMax: this.#inFlightMax(connection, device, grantedInFlight(connect, limits)),
      packetBytesMax: packetBytesMax === UNLIMITED ? undefined : packetBytesMax,
      paceBytesPerSecond: pace?.bytesPerSecond || undefined,
      isOnePacketPerWrite: pace !== undefined,
      keepAliveSeconds: grantedKeepAliveSeconds(connect, limits, serverKeepAliveSeconds),
      idleSecondsMax: rules.setting(connection, 'idleSecondsMax') ?? 0,
    };
  }

  #found(connection: Connection, what: Finding): void {
    const device = this.registry.get(connection.clientIdentifier);
    if (device === undefined) return;
    if (what === 'slow') device.slowLinks++;
    else device.stalls++;
    this.#keeper.changed(device);
  }

  #pace(connection: Connection, isSteppedDown: boolean): Pace | undefined {
    const rules = this.#rules;
    const bytesPerSecond = rules.setting(connection, 'paceBytesPerSecond') ?? 0;
    const onePacket = rules.setting(connection, 'onePacketPerWrite') ?? false;
    if (!isSteppedDown && bytesPerSecond === 0 && !onePacket) return undefined;
    return { bytesPerSecond, quietMs: isSteppedDown ? QUIET_MS : 0 };
  }

  /** Devices of one kind have one text: a fleet has few of them. */
  #shared(fingerprint: string): string {
    const known = this.#fingerprints.get(fingerprint);
    if (known !== undefined) return known;
    if (this.#fingerprints.size >= FINGERPRINTS_MAX) this.#fingerprints.clear();
    this.#fingerprints.set(fingerprint, fingerprint);
    return fingerprint;
  }

  /** What was learned long ago, or of another firmware, counts no more. */
  #forget(device: Device, connect: Connect): void {
    const fingerprint = this.#shared(fingerprintOf(connect));
    const isOther = device.fingerprint !== '' && device.fingerprint !== fingerprint;
    device.fingerprint = fingerprint;
    if (isOther) device.largestAcknowledgedBytes = 0;
    if (!hasLearned(device)) return;
    const ageMs = this.#clock.wallMs() - device.learnedAtWallMs;
    if (!isOther && ageMs < this.#options.learnedSeconds * 1000) return;
    const client = device.clientIdentifier;
    const bytes = device.packetBytesMax;
    const why = isOther
      ? 'it connects in another way, so its firmware may be new'
      : 'that limit was learned long ago';
    this.#log.info(
      { event: 'packet_limit_forgotten', client, bytes },
      `Client ${client} is sent packets over ${bytes} bytes again: ${why}`,
    );
    device.packetBytesMax = UNLIMITED;
    device.largestAcknowledgedBytes = 0;
    this.#keeper.learned(device);
  }

  #lookForOrphans(device: Device, connection: Connection): void {
    if (connection.version === 5) return;
    const { host } = connection.network.peer;
    const count = this.#orphans.began(
      device,
      host,
      (other) => this.#sessionOf(other.clientIdentifier)?.connection === undefined,
    );
    if (count === 0) return;
    this.#statistics.orphansFound++;
    const client = device.clientIdentifier;
    this.#log.warn(
      { event: 'orphaned_sessions', client, address: connection.network.peer.address, count },
      `${count} sessions that nobody came back to are from ${host}, the last one of ${client}: ${ORPHAN_ADVICE}`,
    );
  }
}

function fingerprintOf(connect: Connect): string {
  const { protocolVersion, keepAliveSeconds, cleanStart, will, receiveMaximum } = connect;
  const topic = will === undefined ? '' : shortKey(will.topicName);
  return `${protocolVersion} ${keepAliveSeconds} ${cleanStart} ${receiveMaximum} ${will?.qos} ${topic}`;
}
