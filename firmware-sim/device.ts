import { connect, type Socket } from 'node:net';
import { generate, type Packet, type Parser, parser } from 'mqtt-packet';

export interface DeviceOptions {
  readonly port: number;
  readonly clientIdentifier: string;
  readonly version: 4 | 5;
  readonly topic: string;
  readonly readings: number;
  /** From one reading to the next. */
  readonly intervalMs: number;
  readonly keepAliveSeconds: number;
  readonly reconnectMs: number;
}

export interface DeviceReport {
  /** Readings that were handed to the line, once or more often. */
  published: number;
  acknowledged: number;
  /** Readings made that nobody acknowledged. */
  lost: number;
  /** PUBLISH packets sent again with DUP. */
  resent: number;
  connections: number;
  sessionsResumed: number;
  pings: number;
  readonly connackMs: number[];
  readonly pubackMs: number[];
}

interface Reading {
  readonly identifier: number;
  readonly payload: Buffer;
  sentAtMs: number;
  sent: boolean;
}

const SESSION_EXPIRY_SECONDS = 3600;

/**
 * One small device: makes readings at its own pace, keeps them in a queue, and publishes them at
 * QoS 1, one in flight at a time as firmware with one packet buffer does. After a broken connection
 * it comes back to its Session and sends the open reading again with DUP.
 */
export class Device {
  readonly report: DeviceReport = {
    published: 0,
    acknowledged: 0,
    lost: 0,
    resent: 0,
    connections: 0,
    sessionsResumed: 0,
    pings: 0,
    connackMs: [],
    pubackMs: [],
  };

  readonly #options: DeviceOptions;
  readonly #queue: Reading[] = [];
  #parser: Parser = parser();
  #socket: Socket | undefined;
  #connectedAtMs = 0;
  #accepted = false;
  #made = 0;
  #stopped = false;
  #sensor: NodeJS.Timeout | undefined;
  #pinger: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #finish: () => void = () => {};

  constructor(options: DeviceOptions) {
    this.#options = options;
  }

  /** Runs until every reading is acknowledged. */
  run(): Promise<DeviceReport> {
    return new Promise((resolve) => {
      this.#finish = () => resolve(this.report);
      this.#sensor = setInterval(() => this.#measure(), this.#options.intervalMs);
      this.#connect();
    });
  }

  /** Gives up: readings that are not acknowledged by now are lost. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.report.lost = this.#made - this.report.acknowledged;
    clearInterval(this.#sensor);
    clearInterval(this.#pinger);
    clearTimeout(this.#retry);
    this.#send({ cmd: 'disconnect' });
    this.#socket?.end();
    this.#finish();
  }

  #connect(): void {
    const { port, clientIdentifier, version, keepAliveSeconds, reconnectMs } = this.#options;
    this.#accepted = false;
    this.#parser = parser({ protocolVersion: version });
    this.#parser.on('packet', (packet) => this.#receive(packet));
    this.#parser.on('error', () => this.#socket?.destroy());
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#parser.parse(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      clearInterval(this.#pinger);
      if (!this.#stopped) this.#retry = setTimeout(() => this.#connect(), reconnectMs);
    });
    this.#connectedAtMs = performance.now();
    this.#send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: version,
      clientId: clientIdentifier,
      clean: false,
      keepalive: keepAliveSeconds,
      ...(version === 5 && { properties: { sessionExpiryInterval: SESSION_EXPIRY_SECONDS } }),
    });
  }

  #receive(packet: Packet): void {
    if (packet.cmd === 'connack') {
      if ((packet.reasonCode ?? packet.returnCode) !== 0) {
        this.stop();
        return;
      }
      this.report.connections++;
      if (packet.sessionPresent) this.report.sessionsResumed++;
      this.report.connackMs.push(performance.now() - this.#connectedAtMs);
      this.#accepted = true;
      const pingMs = this.#options.keepAliveSeconds * 1000;
      if (pingMs > 0) this.#pinger = setInterval(() => this.#ping(), pingMs);
      this.#publish();
    } else if (packet.cmd === 'puback' && packet.messageId === this.#queue[0]?.identifier) {
      this.#acknowledge();
    }
  }

  #measure(): void {
    this.#made++;
    const text = `${this.#made - 1} ${(20 + Math.sin(this.#made / 10)).toFixed(2)}`;
    const identifier = ((this.#made - 1) % 65_535) + 1;
    this.#queue.push({ identifier, payload: Buffer.from(text), sentAtMs: 0, sent: false });
    if (this.#made === this.#options.readings) clearInterval(this.#sensor);
    if (this.#queue.length === 1) this.#publish();
  }

  #publish(): void {
    const reading = this.#queue[0];
    if (!this.#accepted || reading === undefined) return;
    if (reading.sent) this.report.resent++;
    else this.report.published++;
    const { identifier: messageId, payload, sent: dup } = reading;
    reading.sent = true;
    reading.sentAtMs = performance.now();
    const { topic } = this.#options;
    this.#send({ cmd: 'publish', topic, payload, qos: 1, retain: false, dup, messageId });
  }

  #acknowledge(): void {
    const reading = this.#queue.shift();
    if (reading === undefined) return;
    this.report.acknowledged++;
    this.report.pubackMs.push(performance.now() - reading.sentAtMs);
    if (this.report.acknowledged === this.#options.readings) this.stop();
    else this.#publish();
  }

  #ping(): void {
    this.report.pings++;
    this.#send({ cmd: 'pingreq' });
  }

  #send(packet: Packet): void {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return;
    socket.write(generate(packet, { protocolVersion: this.#options.version }));
  }
}
