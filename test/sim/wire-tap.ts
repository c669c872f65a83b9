import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet';

const TYPES_OF_SERVER = new Set([2, 3, 4, 5, 6, 7, 9, 11, 13, 14, 15]);

export interface TapReports {
  violation(sentence: string): void;
  /** The broker has been given this PUBLISH of the client. */
  arrived(publish: IPublishPacket): void;
  /** The broker sends this PUBLISH to the client. */
  left(publish: IPublishPacket): void;
}

/**
 * Stands at the broker's end of one connection and reads both directions with mqtt-packet and checks of
 * its own: every byte that the broker sends decodes strictly, identifiers in use are unique, and there
 * are never more in flight than the client's Receive Maximum. [MQTT-3.3.4-7] [MQTT-2.2.1-4]
 */
export class WireTap {
  readonly #name: string;
  readonly #reports: TapReports;
  readonly #inbound = parser({});
  /** Garbage came: what the client says is not known any more. */
  #inboundIsKnown = true;
  #version: 3 | 4 | 5 = 4;
  #receiveMaximum = 0xffff;
  #packetBytesMax = Number.POSITIVE_INFINITY;
  #topicAliasMaximum = 0;
  #rest: Buffer = Buffer.alloc(0);
  #connacks = 0;
  #ended = false;
  readonly #aliases = new Map<number, string>();
  /** By Packet Identifier: sent here and not finished. */
  readonly #inFlight = new Map<number, 'publish' | 'pubrel'>();
  /** Released on an earlier connection; they hold an identifier and no quota. */
  readonly #released = new Set<number>();
  /** The client sent PUBREC for them although nothing is in flight: their PUBREL holds nothing. */
  readonly #strangers = new Set<number>();
  readonly #requests = new Map<string, number>();

  constructor(name: string, reports: TapReports) {
    this.#name = name;
    this.#reports = reports;
    this.#inbound.on('packet', (packet) => this.#clientSent(packet));
    this.#inbound.on('error', () => {
      this.#inboundIsKnown = false;
    });
  }

  fail(sentence: string): void {
    this.#reports.violation(`${this.#name}: ${sentence}`);
  }

  received(chunk: Uint8Array): void {
    if (!this.#inboundIsKnown) return;
    try {
      this.#inbound.parse(Buffer.from(chunk));
    } catch {
      this.#inboundIsKnown = false;
    }
  }

  /** Bytes that the broker writes, at the moment when it does. */
  sent(bytes: Uint8Array): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const length = this.#packetLength();
      if (length === undefined) return;
      const packet = this.#rest.subarray(0, length);
      this.#rest = this.#rest.subarray(length);
      this.#judge(packet);
    }
  }

  #packetLength(): number | undefined {
    const bytes = this.#rest;
    let remaining = 0;
    for (let i = 1; i < bytes.length && i <= 4; i++) {
      remaining += (bytes[i]! & 0x7f) * 128 ** (i - 1);
      if (bytes[i]! >= 0x80) continue;
      if (i > 1 && bytes[i] === 0) this.fail('a Remaining Length is longer than it need be');
      const length = i + 1 + remaining;
      return bytes.length >= length ? length : undefined;
    }
    if (bytes.length > 4) this.fail('a Remaining Length has more than four bytes');
    return undefined;
  }

  #judge(bytes: Buffer): void {
    const type = bytes[0]! >>> 4;
    if (!TYPES_OF_SERVER.has(type)) this.fail(`a server sends no packet of type ${type}`);
    if (this.#ended) this.fail('a packet follows DISCONNECT');
    if (bytes.length > this.#packetBytesMax) {
      this.fail(`${bytes.length} bytes are more than the Maximum Packet Size`);
    }
    const packet = this.#decode(bytes);
    if (packet === undefined) return;
    this.#checkRoundTrip(packet, bytes);
    if (packet.cmd === 'connack') {
      if (this.#connacks++ > 0) this.fail('a second CONNACK');
    } else if (this.#connacks === 0 && packet.cmd !== 'auth') {
      this.fail(`${packet.cmd} came before CONNACK`);
    }
    this.#serverSent(packet);
  }

  #decode(bytes: Buffer): Packet | undefined {
    const found: Packet[] = [];
    const decoder = parser({ protocolVersion: this.#version });
    decoder.on('packet', (packet) => found.push(packet));
    decoder.on('error', (error: Error) => this.fail(`does not decode: ${error.message}`));
    const left = decoder.parse(bytes);
    if (found.length !== 1 || left !== 0) {
      this.fail(`${bytes.toString('hex').slice(0, 80)} is not one packet`);
    }
    return found[0];
  }

  /** Written again by the other codec it is the same: nothing is hidden in it. */
  #checkRoundTrip(packet: Packet, bytes: Buffer): void {
    const { cmd } = packet;
    if (cmd === 'publish' || cmd === 'connack' || cmd === 'suback') {
      const again = generate(packet, { protocolVersion: this.#version });
      if (Buffer.compare(again, bytes) !== 0) {
        const [one, other] = [bytes.toString('hex'), again.toString('hex')];
        this.fail(`${cmd} is ${one.slice(0, 160)}, by the other codec ${other.slice(0, 160)}`);
      }
    } else if (this.#version < 5 && cmd !== 'pingresp' && bytes.length !== 4) {
      this.fail(`${cmd} has ${bytes.length} bytes before MQTT 5`);
    }
  }

  #serverSent(packet: Packet): void {
    switch (packet.cmd) {
      case 'publish':
        this.#published(packet);
        break;
      case 'pubrel':
        this.#checkPubrel(packet.messageId!);
        break;
      case 'puback':
      case 'pubrec':
      case 'pubcomp':
      case 'suback':
      case 'unsuback':
        this.#answered(packet.cmd, packet.messageId!);
        break;
      case 'disconnect':
        if (this.#version < 5) this.fail('a server sends DISCONNECT only in MQTT 5');
        this.#ended = true;
        break;
    }
  }

  #published(publish: IPublishPacket): void {
    const { qos, dup, messageId } = publish;
    const topic = this.#topicOf(publish);
    if (topic === '' || /[+#\0]/.test(topic)) this.fail(`'${topic}' is no Topic Name`);
    if (qos === 0) {
      if (dup) this.fail('DUP is set at QoS 0 [MQTT-3.3.1-2]');
    } else {
      if (messageId === undefined || messageId === 0) this.fail('PUBLISH with identifier 0');
      this.#takesIdentifier(messageId!, dup);
    }
    this.#reports.left({ ...publish, topic });
  }

  #topicOf(publish: IPublishPacket): string {
    const alias = publish.properties?.topicAlias;
    if (alias !== undefined) {
      if (alias === 0 || alias > this.#topicAliasMaximum) this.fail(`Topic Alias ${alias}`);
      if (publish.topic !== '') this.#aliases.set(alias, publish.topic);
      const topic = this.#aliases.get(alias);
      if (topic === undefined) this.fail(`Topic Alias ${alias} was never set`);
      return topic ?? '';
    }
    return publish.topic;
  }

  #takesIdentifier(identifier: number, dup: boolean): void {
    if (!this.#inboundIsKnown) return;
    if (this.#inFlight.has(identifier) || this.#released.has(identifier)) {
      this.fail(`Packet Identifier ${identifier} is in use (DUP ${dup}) [MQTT-2.2.1-4]`);
    }
    this.#inFlight.set(identifier, 'publish');
    if (this.#inFlight.size > this.#receiveMaximum) {
      this.fail(`${this.#inFlight.size} in flight, Receive Maximum ${this.#receiveMaximum}`);
    }
  }

  #checkPubrel(identifier: number): void {
    if (!this.#inboundIsKnown) return;
    const state = this.#inFlight.get(identifier);
    if (state === 'pubrel') return;
    // A PUBREC that was a guess may cross the PUBLISH on its way.
    if (this.#strangers.delete(identifier)) return;
    if (state === 'publish') this.fail(`PUBREL ${identifier} before its PUBREC`);
    else this.#released.add(identifier);
  }

  #answered(cmd: string, identifier: number): void {
    if (!this.#inboundIsKnown) return;
    const request = `${requestOf[cmd]} ${identifier}`;
    const open = this.#requests.get(request) ?? 0;
    if (open === 0) this.fail(`${cmd} ${identifier} answers nothing`);
    else this.#requests.set(request, open - 1);
  }

  #clientSent(packet: Packet): void {
    switch (packet.cmd) {
      case 'connect': {
        this.#version = packet.protocolVersion ?? 4;
        const { properties = {} } = packet;
        this.#receiveMaximum = properties.receiveMaximum ?? 0xffff;
        this.#packetBytesMax = properties.maximumPacketSize ?? Number.POSITIVE_INFINITY;
        this.#topicAliasMaximum = properties.topicAliasMaximum ?? 0;
        break;
      }
      case 'publish':
        if (packet.qos > 0) this.#asks(`publish${packet.qos}`, packet.messageId!);
        this.#reports.arrived(packet);
        break;
      case 'subscribe':
      case 'unsubscribe':
      case 'pubrel':
        this.#asks(packet.cmd, packet.messageId!);
        break;
      case 'pubrec':
        if ((packet.reasonCode ?? 0) >= 0x80) this.#inFlight.delete(packet.messageId!);
        else if (this.#inFlight.has(packet.messageId!)) {
          this.#inFlight.set(packet.messageId!, 'pubrel');
        } else this.#strangers.add(packet.messageId!);
        break;
      case 'puback':
      case 'pubcomp':
        this.#inFlight.delete(packet.messageId!);
        this.#released.delete(packet.messageId!);
        break;
    }
  }

  #asks(what: string, identifier: number): void {
    const request = `${what} ${identifier}`;
    this.#requests.set(request, (this.#requests.get(request) ?? 0) + 1);
  }
}

const requestOf: Readonly<Record<string, string>> = {
  puback: 'publish1',
  pubrec: 'publish2',
  pubcomp: 'pubrel',
  suback: 'subscribe',
  unsuback: 'unsubscribe',
};
