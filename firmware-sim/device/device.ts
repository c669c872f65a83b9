import type { IConnectPacket, IPublishPacket, ISubscribePacket } from 'mqtt-packet';
import type { Clock, Timer } from '../base/clock.js';
import type { Dial } from '../link/line.js';
import { slowWrites } from '../link/slow-writes.js';
import type { Behaviour } from './behaviour.js';
import { DeviceConnection } from './device-connection.js';
import { Incoming } from './incoming.js';
import { Outgoing, type OutgoingMessage } from './outgoing.js';
import { DeviceReport } from './report.js';

export interface DeviceOptions {
  readonly clientIdentifier: string | ((attempt: number) => string);
  readonly behaviour: Behaviour;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly subscriptions?: ISubscribePacket['subscriptions'];
  /** `new-session`: only where CONNACK tells of no session. Most sketches do it always. */
  readonly subscribes?: 'always' | 'new-session';
  readonly will?: IConnectPacket['will'];
  readonly userName?: string;
  readonly password?: string;
  /** MQTT 5.0 alone; persistent sessions are asked to live for an hour. */
  readonly sessionExpirySeconds?: number;
  readonly onMessage?: (message: IPublishPacket) => void;
  readonly onConnected?: (sessionPresent: boolean) => void;
  /** After every end of a connection; `why` as the device would log it. */
  readonly onClosed?: (why: string) => void;
}

const SESSION_EXPIRY_SECONDS = 3600;
const UP_MS_MAX = 60_000;

/**
 * One device: it connects, subscribes, publishes, and comes back after each end, as its behaviour
 * says. What MQTT calls its session state outlives connections; `reboot` loses it.
 */
export class Device {
  readonly report: DeviceReport = new DeviceReport();
  readonly #options: DeviceOptions;
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  #connection: DeviceConnection | undefined;
  #retry: Timer | undefined;
  #retryMs: number;
  #running = false;
  /** When the last connection ended; undefined before there was one. */
  #endedMs: number | undefined;
  #whenUp: (() => void)[] = [];

  constructor(options: DeviceOptions) {
    this.#options = options;
    const { behaviour, clock } = options;
    this.#retryMs = behaviour.reconnect.firstMs;
    this.#outgoing = new Outgoing(behaviour, clock, this.report);
    this.#incoming = new Incoming(behaviour, this.report, (message) => {
      this.#useful();
      options.onMessage?.(message);
    });
  }

  get connected(): boolean {
    return this.#connection?.accepted ?? false;
  }

  /** Own messages that are not acknowledged yet. */
  get waiting(): number {
    return this.#outgoing.waiting;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  /**
   * Resolves at the next CONNACK that accepts, and SUBACK where it subscribes; or now. Rejects when
   * it takes too long, with what the device saw.
   */
  up(waitMs: number = UP_MS_MAX): Promise<void> {
    if (this.#connection?.ready === true) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const deadline = this.#options.clock.after(waitMs, () => {
        const drops = [...this.report.drops].map(([why, times]) => `${why} (${times} times)`);
        const saw = drops.join(', ') || 'no answer';
        reject(new Error(`a device is not connected after ${waitMs / 1000} s: ${saw}`));
      });
      this.#whenUp.push(() => {
        deadline.cancel();
        resolve();
      });
    });
  }

  publish(message: OutgoingMessage): void {
    const { done } = message;
    this.#outgoing.publish({
      ...message,
      done: () => {
        this.#useful();
        done?.();
      },
    });
  }

  /** Says good-bye and stays away. */
  stop(): void {
    this.#halt();
    this.#connection?.disconnect();
    this.#connection = undefined;
  }

  /** The power is cut: the connection breaks without a word. */
  powerOff(): void {
    this.#halt();
    this.#connection?.abandon();
    this.#connection = undefined;
  }

  /** Power off and on; without `keepsState` what was in memory is gone. */
  reboot(keepsState: boolean): void {
    this.powerOff();
    if (!keepsState) this.#forget();
    this.start();
  }

  /** The firmware calls connect again, though its connection may be fine. */
  reconnect(): void {
    this.#connection?.fail('firmware reconnects');
  }

  #halt(): void {
    this.#running = false;
    if (this.connected) this.#endedMs = this.#options.clock.nowMs();
    this.#retry?.cancel();
    this.#outgoing.down();
  }

  #connect(): void {
    const { behaviour, clock, dial, subscriptions } = this.#options;
    if (behaviour.forgetsAtReconnect && this.report.attempts > 0) this.#forget();
    this.report.attempts++;
    const connection: DeviceConnection = new DeviceConnection({
      behaviour,
      clock,
      report: this.report,
      incoming: this.#incoming,
      outgoing: this.#outgoing,
      connect: this.#connectPacket(),
      subscriptions,
      subscribes: this.#options.subscribes ?? 'always',
      accepted: (sessionPresent) => {
        this.#retryMs = behaviour.reconnect.firstMs;
        if (sessionPresent && this.#endedMs !== undefined) {
          this.report.resumeMs.add(clock.nowMs() - this.#endedMs);
        }
        this.#options.onConnected?.(sessionPresent);
      },
      ready: () => {
        for (const resolve of this.#whenUp.splice(0)) resolve();
      },
      closed: (why) => this.#closed(connection, why),
    });
    this.#connection = connection;
    const { writeMs } = behaviour;
    connection.open(writeMs === 0 ? dial : slowWrites(dial, clock, writeMs));
  }

  #closed(connection: DeviceConnection, why: string): void {
    if (this.#connection !== connection) return;
    if (connection.accepted) this.#endedMs = this.#options.clock.nowMs();
    this.#connection = undefined;
    this.#outgoing.down();
    if (!this.#running) return;
    const { behaviour, clock, onClosed } = this.#options;
    this.report.drop(why);
    onClosed?.(why);
    if (!this.#running || this.#connection !== undefined) return;
    const waitMs = this.#retryMs;
    const { factor, maxMs } = behaviour.reconnect;
    this.#retryMs = Math.min(waitMs * factor, maxMs);
    if (waitMs === 0) this.#connect();
    else this.#retry = clock.after(waitMs, () => this.#connect());
  }

  #forget(): void {
    this.#outgoing.forget();
    this.#incoming.forget();
  }

  #useful(): void {
    this.#connection?.useful();
  }

  #clientIdentifier(): string {
    const { clientIdentifier, behaviour } = this.#options;
    const { attempts } = this.report;
    if (typeof clientIdentifier !== 'string') return clientIdentifier(attempts);
    return behaviour.identifiers === 'given' ? clientIdentifier : `${clientIdentifier}-${attempts}`;
  }

  #connectPacket(): IConnectPacket {
    const { behaviour, will, userName, password } = this.#options;
    const { version, clean, keepAliveSeconds, receiveBytesMax } = behaviour;
    const expiry = this.#options.sessionExpirySeconds ?? (clean ? 0 : SESSION_EXPIRY_SECONDS);
    return {
      cmd: 'connect',
      protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
      protocolVersion: version,
      clientId: this.#clientIdentifier(),
      clean,
      keepalive: keepAliveSeconds,
      ...(will !== undefined && { will }),
      ...(userName !== undefined && { username: userName }),
      ...(password !== undefined && { password: Buffer.from(password) }),
      ...(version === 5 && {
        properties: {
          sessionExpiryInterval: expiry,
          ...(Number.isFinite(receiveBytesMax) && { maximumPacketSize: receiveBytesMax }),
        },
      }),
    };
  }
}
