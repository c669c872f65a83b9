import type { Codes, PacketText } from './case-file.js';
import type { Harness, Link } from './harness.js';
import { type Captures, HexPattern, hexOf, type Version } from './hex-pattern.js';
import {
  codeOf,
  type DecodedPacket,
  decodePacket,
  encodePacket,
  type Fields,
  type PacketFields,
  packetDifference,
} from './packet.js';

/** What differs from what a case expects. */
export class Unexpected extends Error {
  override readonly name = 'Unexpected';
}

const CONNACK_BYTE = 0x20;

/** Identifiers that the harness gives to its own packets, out of the way of those in cases. */
const OWN_IDENTIFIERS = 0x4000;

/** A client of one case: sends and expects packets on its current network connection. */
export class CaseClient {
  readonly name: string;
  readonly version: Version;
  readonly captures: Captures;
  readonly #harness: Harness;
  #link: Link | undefined = undefined;
  #maximumPacketBytes = Number.POSITIVE_INFINITY;
  #identifiers = OWN_IDENTIFIERS;

  constructor(name: string, version: Version, captures: Captures, harness: Harness) {
    this.name = name;
    this.version = version;
    this.captures = captures;
    this.#harness = harness;
  }

  nextIdentifier(): number {
    return this.#identifiers++;
  }

  async send(text: PacketText): Promise<void> {
    const bytes = this.#encode(text);
    const link = await this.#opened();
    await link.send(bytes);
  }

  async drop(): Promise<void> {
    await this.#current().drop();
    this.#link = undefined;
  }

  /** The next packet, whatever it is. */
  async next(): Promise<DecodedPacket> {
    return decodePacket(await this.#packet(), this.version);
  }

  /** After a DISCONNECT: the server closes, whatever it still sent. */
  async awaitEnd(): Promise<void> {
    const link = this.#current();
    await link.until(() => link.closed);
    if (!link.closed) throw new Unexpected('the server did not close');
    this.#link = undefined;
  }

  async expect(text: PacketText): Promise<void> {
    if (typeof text !== 'string') return this.expectOneOf([text]);
    const pattern = new HexPattern(text, this.version);
    const link = this.#current();
    await link.until(() => link.inbox.length >= pattern.length);
    const got = link.inbox.take(Math.min(pattern.length, link.inbox.length));
    const found = pattern.difference(got, this.captures);
    if (found !== undefined) throw new Unexpected(`${found}; it is ${hexOf(got)}`);
  }

  async expectBegin(text: string): Promise<void> {
    const pattern = new HexPattern(text, this.version);
    const got = await this.#packet();
    const found = pattern.difference(got, this.captures);
    if (found !== undefined) throw new Unexpected(`${found}; it is ${hexOf(got)}`);
  }

  async expectOneOf(texts: readonly PacketText[], orClosed = false): Promise<void> {
    if (orClosed && (await this.#isOver())) return;
    const got = await this.#packet();
    const found = texts.map((text) => this.#difference(got, text));
    if (!found.includes(undefined)) {
      throw new Unexpected(`${found.join('; or ')}; it is ${this.#describe(got)}`);
    }
  }

  async expectAnyOrder(texts: readonly PacketText[]): Promise<void> {
    const missing = [...texts];
    while (missing.length > 0) {
      const got = await this.#packet();
      const found = missing.map((text) => this.#difference(got, text));
      const at = found.indexOf(undefined);
      if (at < 0) throw new Unexpected(`${found.join('; or ')}; it is ${this.#describe(got)}`);
      missing.splice(at, 1);
    }
  }

  async expectNothing(): Promise<void> {
    await this.#harness.settle();
    const link = this.#current();
    if (link.inbox.length > 0) {
      throw new Unexpected(`nothing should come; it is ${this.#describe(link.inbox.peek())}`);
    }
    if (link.closed) throw new Unexpected('the server closed');
  }

  async expectClosed(): Promise<void> {
    if (await this.#isOver()) {
      this.#link = undefined;
      return;
    }
    const link = this.#current();
    const left = link.inbox.peek();
    if (left.length > 0) throw new Unexpected(`there is more to read: ${this.#describe(left)}`);
    throw new Unexpected('the server did not close');
  }

  /** A violation: 5.0 is told why, before it is closed; earlier versions are closed. */
  async expectFault(codes: Codes): Promise<void> {
    if (this.version === 5) {
      const reasonCode = [codes].flat();
      await this.expect({
        DISCONNECT: { reasonCode, properties: { sessionExpiryInterval: null } },
      });
    }
    await this.expectClosed();
  }

  /** A CONNECT that fails: closed, with or without a CONNACK that says why. */
  async expectRefusal(codes: Codes, returnCode: string | undefined): Promise<void> {
    if (!(await this.#isOver())) {
      const got = await this.#packet();
      const is3 = got.length === 4;
      const allowed = is3 ? [returnCode] : [codes].flat();
      const fits = got[0] === CONNACK_BYTE && got[2] === 0;
      if (!fits || !allowed.some((code) => codeOf(code) === got[3])) {
        throw new Unexpected(`no CONNACK that refuses with ${allowed}; it is ${hexOf(got)}`);
      }
    }
    await this.expectClosed();
  }

  /** Sends CONNECT and expects to be accepted. */
  async connect(fields: Fields, connack: Fields): Promise<void> {
    await this.send({ CONNECT: fields });
    const { sessionPresent, ...rest }: Fields & { sessionPresent?: unknown } = {
      reasonCode: 0,
      ...connack,
    };
    const flag = sessionPresent === undefined || this.version === 3 ? {} : { sessionPresent };
    await this.expect({ CONNACK: { ...rest, ...flag } });
  }

  #encode(text: PacketText): Uint8Array {
    if (typeof text === 'string') return new HexPattern(text, this.version).bytes(this.captures);
    const fields = text['CONNECT'];
    const defaults = fields === undefined ? {} : { clientId: this.name };
    const properties = fields?.['properties'] as Fields | undefined;
    const limit = this.version === 5 ? properties?.['maximumPacketSize'] : undefined;
    if (fields !== undefined) this.#maximumPacketBytes = Number(limit ?? Number.POSITIVE_INFINITY);
    return encodePacket(text, this.version, this.captures, defaults);
  }

  /** Leaves no captures behind unless it fits. */
  #difference(got: Uint8Array, text: PacketText): string | undefined {
    const captures = new Map(this.captures);
    const found =
      typeof text === 'string'
        ? this.#bytesDifference(got, text, captures)
        : packetDifference(decodePacket(got, this.version), text as PacketFields, captures);
    if (found === undefined) for (const [name, value] of captures) this.captures.set(name, value);
    return found;
  }

  #bytesDifference(got: Uint8Array, text: string, captures: Captures): string | undefined {
    const pattern = new HexPattern(text, this.version);
    const sizes = `${got.length} bytes, not ${pattern.length}`;
    return got.length === pattern.length ? pattern.difference(got, captures) : sizes;
  }

  /** Takes the next packet, whole. */
  async #packet(): Promise<Uint8Array> {
    const link = this.#current();
    const { inbox } = link;
    await link.until(() => inbox.packetLength() !== undefined);
    const length = inbox.packetLength();
    if (length === undefined) {
      const end = link.closed ? 'the server closed' : 'nothing came';
      const left = inbox.length > 0 ? ` behind ${hexOf(inbox.peek())}` : '';
      throw new Unexpected(`${end}${left}`);
    }
    if (length > this.#maximumPacketBytes) {
      const got = inbox.take(length);
      throw new Unexpected(`it is above the client's Maximum Packet Size: ${hexOf(got)}`);
    }
    return inbox.take(length);
  }

  async #isOver(): Promise<boolean> {
    const link = this.#current();
    await link.until(() => link.closed || link.inbox.packetLength() !== undefined);
    return link.closed && link.inbox.length === 0;
  }

  #describe(bytes: Uint8Array): string {
    try {
      const { type, fields } = decodePacket(bytes, this.version);
      return `${type} ${JSON.stringify(fields)} (${hexOf(bytes)})`;
    } catch {
      return hexOf(bytes);
    }
  }

  #current(): Link {
    if (this.#link === undefined) throw new Error(`${this.name} has no network connection`);
    return this.#link;
  }

  async #opened(): Promise<Link> {
    this.#link ??= await this.#harness.open();
    return this.#link;
  }
}
