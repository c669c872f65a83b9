/**
 * Bytes as people write them in cases. Blanks mean nothing.
 *
 *   30 0a ff      bytes                         ??          any byte (expected bytes only)
 *   78*1000       a byte, repeated              'abc'       text in UTF-8
 *   s'abc'        a UTF-8 Encoded String: its length in two bytes, then the text
 *   ##            Remaining Length, as a Variable Byte Integer, of what follows in this packet
 *   <11 00…>      a Property Length and its properties
 *   [4: …]        only before 5.0 (3.1 and 3.1.1)
 *   [5: …]        only in 5.0
 *   {id}          two bytes: captured where they are met first, the same ones from then on
 *   {name:1}      the same with another number of bytes
 *   {protocol}    Protocol Name and Protocol Level of the version
 *   |             the end of one packet and the beginning of the next
 */
export type Version = 3 | 4 | 5;

export interface Capture {
  readonly name: string;
  readonly size: number;
}

/** A byte, any byte (`undefined`), or a capture of one or more bytes. */
type Element = number | undefined | Capture;

export type Captures = Map<string, number | string>;

const ANY = undefined;
const PROTOCOLS: Readonly<Record<Version, string>> = {
  3: "s'MQIsdp' 03",
  4: "s'MQTT' 04",
  5: "s'MQTT' 05",
};

const TOKEN =
  /\s+|(?<any>\?\?)|(?<length>##)|(?<string>s?'[^']*')|(?<hex>(?:[0-9a-fA-F]{2})+)(?<times>\*\d+)?|\{(?<name>[a-zA-Z]\w*)(?::(?<size>\d))?\}|\[(?<only>[45]):(?<part>[^\]]*)\]|<(?<properties>[^>]*)>/y;

/** Compiled for one version: what is sent has every capture known, what is expected may meet new ones. */
export class HexPattern {
  readonly #elements: readonly Element[];
  readonly length: number;

  constructor(text: string, version: Version) {
    this.#elements = text.split('|').flatMap((packet) => compilePacket(packet, version));
    this.length = lengthOf(this.#elements);
  }

  /** The bytes to send. */
  bytes(captures: Captures): Uint8Array {
    const bytes = new Uint8Array(this.length);
    let at = 0;
    for (const element of this.#elements) {
      if (typeof element === 'number') bytes[at++] = element;
      else if (element === ANY) throw new Error('?? is for expected bytes');
      else at = put(bytes, at, element.size, known(captures, element.name));
    }
    return bytes;
  }

  /** Compares as many bytes as the pattern has; adds what it captures. Returns what differs. */
  difference(bytes: Uint8Array, captures: Captures): string | undefined {
    let at = 0;
    for (const element of this.#elements) {
      if (typeof element === 'number') {
        if (bytes[at] !== element)
          return `byte ${at} is ${hexByte(bytes[at])}, not ${hexByte(element)}`;
        at++;
      } else if (element === ANY) {
        at++;
      } else {
        const got = get(bytes, at, element.size);
        const before = captures.get(element.name);
        if (before === undefined) captures.set(element.name, got);
        else if (before !== got) return `{${element.name}} is ${got}, it was ${before}`;
        at += element.size;
      }
    }
    return undefined;
  }
}

function compilePacket(text: string, version: Version): Element[] {
  const parts = text.split('##');
  if (parts.length > 2) throw new Error(`two Remaining Lengths in one packet: ${text}`);
  const head = compile(parts[0]!, version);
  if (parts.length === 1) return head;
  const rest = compile(parts[1]!, version);
  return [...head, ...variableByteInteger(lengthOf(rest)), ...rest];
}

function compile(text: string, version: Version): Element[] {
  const elements: Element[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const from = TOKEN.lastIndex;
    const groups = TOKEN.exec(text)?.groups;
    const end = TOKEN.lastIndex;
    if (groups === undefined) throw new Error(`no such notation: ${text.slice(from)}`);
    for (const element of compileToken(groups, version)) elements.push(element);
    TOKEN.lastIndex = end;
  }
  return elements;
}

function compileToken(token: Record<string, string | undefined>, version: Version): Element[] {
  const { any, string, hex, times, name, size, only, part, properties } = token;
  if (any !== undefined) return [ANY];
  if (string !== undefined) return compileString(string);
  if (hex !== undefined) return repeat(Buffer.from(hex, 'hex'), times);
  if (name === 'protocol') return compile(PROTOCOLS[version], version);
  if (name !== undefined) return [{ name, size: Number(size ?? 2) }];
  if (part !== undefined) return (only === '5') === (version === 5) ? compile(part, version) : [];
  if (properties !== undefined) {
    const content = compile(properties, version);
    return [...variableByteInteger(lengthOf(content)), ...content];
  }
  return [];
}

function compileString(quoted: string): Element[] {
  const withLength = quoted.startsWith('s');
  const bytes = Buffer.from(quoted.slice(withLength ? 2 : 1, -1));
  return withLength ? [bytes.length >> 8, bytes.length & 0xff, ...bytes] : [...bytes];
}

function repeat(bytes: Buffer, times: string | undefined): number[] {
  if (times === undefined) return [...bytes];
  const last = bytes[bytes.length - 1]!;
  const count = Number(times.slice(1)) - 1;
  return [...bytes, ...new Array<number>(count).fill(last)];
}

function variableByteInteger(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(rest >= 128 ? (rest & 0x7f) | 0x80 : rest);
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

function lengthOf(elements: readonly Element[]): number {
  let length = 0;
  for (const element of elements) length += typeof element === 'object' ? element.size : 1;
  return length;
}

function known(captures: Captures, name: string): number {
  const value = captures.get(name);
  if (typeof value !== 'number') throw new Error(`{${name}} was not captured before`);
  return value;
}

function put(bytes: Uint8Array, at: number, size: number, value: number): number {
  for (let i = 0; i < size; i++) bytes[at + i] = (value >>> (8 * (size - 1 - i))) & 0xff;
  return at + size;
}

function get(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + bytes[at + i]!;
  return value;
}

function hexByte(byte: number | undefined): string {
  return byte === undefined ? 'missing' : byte.toString(16).padStart(2, '0');
}

/** For messages: the bytes, at most some dozens of them. */
export function hexOf(bytes: Uint8Array): string {
  const shown = Buffer.from(bytes.subarray(0, 64)).toString('hex').replace(/../g, '$& ').trim();
  return bytes.length > 64 ? `${shown} … (${bytes.length} bytes)` : shown;
}
