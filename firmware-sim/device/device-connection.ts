import {
  type IConnackPacket,
  type IConnectPacket,
  type ISubscribePacket,
  type Packet,
  type Parser,
  parser,
} from 'mqtt-packet';
import { type Clock, type Timer, TimerGroup } from '../base/clock.js';
import type { Dial, Line } from '../link/line.js';
import type { Behaviour } from './behaviour.js';
import { type Frame, FrameReader } from './frame-reader.js';
import type { Incoming } from './incoming.js';
import { KeepAlive } from './keep-alive.js';
import type { Outgoing } from './outgoing.js';
import { writesOf } from './packet-writes.js';
import type { DeviceReport } from './report.js';
import type { Wire } from './wire.js';

export interface DeviceConnectionOptions {
  readonly behaviour: Behaviour;
  readonly clock: Clock;
  readonly report: DeviceReport;
  readonly incoming: Incoming;
  readonly outgoing: Outgoing;
  readonly connect: IConnectPacket;
  readonly subscriptions: ISubscribePacket['subscriptions'] | undefined;
  readonly subscribes: 'always' | 'new-session';
  readonly accepted: (sessionPresent: boolean) => void;
  readonly ready: () => void;
  readonly closed: (why: string) => void;
}

const TYPE_CONNACK = 2;
const TYPE_PUBLISH = 3;
const TYPE_SUBACK = 9;

/** One connection of a device, from the dial to the end. */
export class DeviceConnection implements Wire {
  readonly #options: DeviceConnectionOptions;
  readonly #timers: TimerGroup;
  readonly #reader: FrameReader;
  readonly #parser: Parser;
  readonly #startMs: number;
  #line: Line | undefined;
  #keepAlive: KeepAlive | undefined;
  #pause: Timer | undefined;
  #accepted = false;
  #ready = false;
  #over = false;
  #wasUseful = false;

  constructor(options: DeviceConnectionOptions) {
    const { behaviour, clock } = options;
    this.#options = options;
    this.#startMs = clock.nowMs();
    this.#timers = new TimerGroup(clock);
    this.#reader = new FrameReader(behaviour.receiveBytesMax);
    this.#parser = parser({ protocolVersion: behaviour.version });
    this.#parser.on('packet', (packet) => this.#take(packet));
    this.#parser.on('error', () => this.fail('malformed packet'));
  }

  get accepted(): boolean {
    return this.#accepted;
  }

  /** Accepted, and subscribed where it subscribes. */
  get ready(): boolean {
    return this.#ready;
  }

  open(dial: Dial): void {
    const { behaviour } = this.#options;
    this.#timers.after(behaviour.connackMsMax, () => {
      if (!this.#accepted) this.fail('no CONNACK in time');
    });
    let opened = false;
    const line = dial({
      opened: () => {
        opened = true;
        if (this.#line !== undefined) this.#greet();
      },
      data: (bytes) => this.#receive(bytes),
      closed: (reset) => this.#closed(reset ? 'connection reset' : 'closed by the other side'),
    });
    if (this.#over) return;
    this.#line = line;
    if (opened) this.#greet();
  }

  send(packet: Packet): void {
    if (this.#over) return;
    for (const bytes of writesOf(packet, this.#options.behaviour)) this.#line?.write(bytes);
    this.#keepAlive?.sent();
  }

  fail(why: string): void {
    if (this.#over) return;
    this.#line?.end();
    this.#closed(why);
  }

  disconnect(): void {
    if (this.#over) return;
    if (this.#accepted) this.send({ cmd: 'disconnect' });
    this.#over = true;
    this.#timers.cancelAll();
    this.#line?.end();
  }

  abandon(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timers.cancelAll();
    this.#line?.reset();
  }

  /** The first message either way: what the connection was made for. */
  useful(): void {
    if (this.#wasUseful) return;
    this.#wasUseful = true;
    this.#options.report.firstUsefulMs.add(this.#options.clock.nowMs() - this.#startMs);
  }

  #greet(): void {
    const { behaviour, connect, subscriptions } = this.#options;
    const line = this.#line!;
    if (!behaviour.pipelines || subscriptions === undefined) {
      this.send(connect);
      return;
    }
    const subscribe: ISubscribePacket = { cmd: 'subscribe', messageId: 1, subscriptions };
    line.write(Buffer.concat([...writesOf(connect, behaviour), ...writesOf(subscribe, behaviour)]));
  }

  #receive(bytes: Buffer): void {
    if (this.#over) return;
    this.#keepAlive?.received();
    try {
      this.#reader.feed(bytes, (frame) => {
        this.#frame(frame);
        return !this.#over;
      });
    } catch {
      this.fail('malformed length');
    }
    if (!this.#over) this.#watchPause();
  }

  /** Some libraries give up when a packet does not go on. */
  #watchPause(): void {
    const { packetPauseMsMax, connackPauseMsMax } = this.#options.behaviour;
    this.#pause?.cancel();
    this.#pause = undefined;
    if (!this.#reader.inPacket) return;
    const isConnack = this.#reader.typeInPacket === TYPE_CONNACK;
    const waitMs = (isConnack ? connackPauseMsMax : undefined) ?? packetPauseMsMax;
    if (waitMs === undefined) return;
    this.#pause = this.#timers.after(waitMs, () => this.fail('packet paused in the middle'));
  }

  #frame(frame: Frame): void {
    const { incoming, behaviour } = this.#options;
    const type = frame.bytes[0]! >> 4;
    if (!this.#accepted && type !== TYPE_CONNACK) {
      this.fail('something came before CONNACK');
      return;
    }
    if (type === TYPE_PUBLISH) {
      if (!incoming.fits(frame, this)) return;
    } else if (type === TYPE_SUBACK && behaviour.parser === 'header-in-one-segment') {
      if (frame.firstSegmentBytes < frame.totalBytes) {
        this.fail('header split between segments');
        return;
      }
    }
    if (
      type === TYPE_CONNACK &&
      frame.totalBytes !== (behaviour.connackBytes ?? frame.totalBytes)
    ) {
      this.fail('CONNACK of another length');
      return;
    }
    this.#parser.parse(frame.bytes);
  }

  #take(packet: Packet): void {
    const { incoming, outgoing, behaviour } = this.#options;
    switch (packet.cmd) {
      case 'connack':
        this.#connack(packet);
        return;
      case 'publish':
        incoming.publish(packet, this);
        return;
      case 'pubrel':
        incoming.pubrel(packet.messageId!, this);
        return;
      case 'suback':
        // What went out with CONNECT is no entry of the outbox.
        if (!behaviour.pipelines) outgoing.acknowledged('suback', packet.messageId!);
        this.#becomeReady();
        return;
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
        outgoing.acknowledged(packet.cmd, packet.messageId!);
        return;
      case 'pingresp':
        this.#keepAlive?.pingresp();
        return;
      case 'disconnect':
        this.fail(`DISCONNECT 0x${(packet.reasonCode ?? 0).toString(16)}`);
        return;
      default:
        this.fail(`unexpected ${packet.cmd}`);
    }
  }

  #connack(packet: IConnackPacket): void {
    const { behaviour, clock, report, outgoing, connect, subscriptions } = this.#options;
    if (this.#accepted) {
      this.fail('a second CONNACK');
      return;
    }
    const code = packet.reasonCode ?? packet.returnCode ?? 0;
    if (code !== 0) {
      report.refusals++;
      this.fail(`refused with 0x${code.toString(16)}`);
      return;
    }
    this.#accepted = true;
    report.connections++;
    report.connackMs.add(clock.nowMs() - this.#startMs);
    if (packet.sessionPresent) report.sessionsResumed++;
    const keepAliveSeconds = packet.properties?.serverKeepAlive ?? connect.keepalive ?? 0;
    this.#keepAlive = new KeepAlive(behaviour, keepAliveSeconds, clock, this.#timers, report, this);
    outgoing.up(this, this.#timers, packet.sessionPresent);
    const subscribes = this.#options.subscribes === 'always' || !packet.sessionPresent;
    this.#options.accepted(packet.sessionPresent);
    if (this.#over) return;
    if (subscriptions === undefined || !subscribes) this.#becomeReady();
    else if (!behaviour.pipelines) outgoing.subscribe(subscriptions);
  }

  #becomeReady(): void {
    if (this.#ready) return;
    this.#ready = true;
    this.#options.ready();
  }

  #closed(why: string): void {
    if (this.#over) return;
    this.#over = true;
    this.#timers.cancelAll();
    this.#options.closed(why);
  }
}
