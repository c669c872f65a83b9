import { generate, type Packet, parser } from 'mqtt-packet';
import type { Captures, Version } from './hex-pattern.js';

/**
 * Packets as fields, encoded and decoded by mqtt-packet, so that our own codec is judged by another.
 * Fields have mqtt-packet's names, with two additions: `id` is the Packet Identifier, and `reasonCode`
 * is there in every version (the 3.1.1 return code, 0 where a packet has none).
 */
export type Fields = { readonly [name: string]: unknown };

/** One packet: its type in capitals, and its fields. */
export type PacketFields = { readonly [type: string]: Fields };

/** Encodes a packet; `$name` stands for a captured value. */
export function encodePacket(
  packet: PacketFields,
  version: Version,
  captures: Captures,
  defaults: Fields = {},
): Uint8Array {
  const [type, given] = only(packet);
  const fields = resolve(given, captures) as Fields;
  const { id, expiry, ...rest } = { ...defaults, ...fields };
  const properties = { ...(expiry === undefined ? {} : { sessionExpiryInterval: expiry }) };
  const encoded = {
    ...packetDefaults(type, version),
    ...rest,
    cmd: type.toLowerCase(),
    ...(id === undefined ? {} : { messageId: id }),
    properties: { ...properties, ...(rest['properties'] as Fields | undefined) },
  };
  return generate(encoded as unknown as Packet, { protocolVersion: version });
}

function packetDefaults(type: string, version: Version): Fields {
  switch (type) {
    case 'CONNECT':
      return {
        protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
        protocolVersion: version,
        clean: true,
        keepalive: 0,
      };
    case 'PUBLISH':
      return { qos: 0, dup: false, retain: false, payload: '' };
    default:
      return {};
  }
}

/** What a packet of the server says: the type in capitals and the fields. */
export interface DecodedPacket {
  readonly type: string;
  readonly fields: Fields;
}

export function decodePacket(bytes: Uint8Array, version: Version): DecodedPacket {
  const found: Packet[] = [];
  const faults: unknown[] = [];
  const decoder = parser({ protocolVersion: version });
  decoder.on('packet', (packet) => found.push(packet));
  decoder.on('error', (error) => faults.push(error));
  decoder.parse(Buffer.from(bytes));
  const packet = found[0];
  if (packet === undefined || faults.length > 0) {
    throw new Error(`mqtt-packet cannot read it: ${String(faults[0] ?? 'it is not whole')}`);
  }
  const { cmd, messageId, returnCode, reasonCode, ...rest } = packet as unknown as Fields;
  const fields = { ...rest, id: messageId, reasonCode: reasonCode ?? returnCode ?? 0 };
  return { type: String(cmd).toUpperCase(), fields: { properties: {}, ...fields } };
}

/** Compares a packet with the fields that a case names; returns what differs. */
export function packetDifference(
  decoded: DecodedPacket,
  expected: PacketFields,
  captures: Captures,
): string | undefined {
  const [type, fields] = only(expected);
  if (decoded.type !== type) return `it is ${decoded.type}, not ${type}`;
  const wanted = type === 'PUBLISH' ? { dup: false, retain: false, ...fields } : fields;
  return difference(decoded.fields, wanted, captures, type);
}

/**
 * A field of a case against a field of a packet: null is absence, `$name` captures or repeats, `0x…` is
 * a number, `{ "hex": … }` is bytes, a list is a list or, against one value, a choice.
 */
function difference(
  got: unknown,
  wanted: unknown,
  captures: Captures,
  path: string,
): string | undefined {
  if (wanted === null) return isAbsent(got) ? undefined : differs(path, got, 'absent');
  if (typeof wanted === 'string' && /^\$\w+$/.test(wanted)) {
    return captureDifference(got, wanted.slice(1), captures, path);
  }
  if (Array.isArray(wanted)) return listDifference(got, wanted, captures, path);
  if (typeof wanted === 'object') return objectDifference(got, wanted as Fields, captures, path);
  const value = typeof got === 'object' && Buffer.isBuffer(got) ? got.toString('utf8') : got;
  return value === codeOf(wanted) ? undefined : differs(path, value, wanted);
}

function captureDifference(
  got: unknown,
  name: string,
  captures: Captures,
  path: string,
): string | undefined {
  if (typeof got !== 'number' && typeof got !== 'string') return differs(path, got, 'there');
  const before = captures.get(name);
  if (before === undefined) captures.set(name, got);
  return before === undefined || before === got ? undefined : differs(path, got, before);
}

function listDifference(
  got: unknown,
  wanted: readonly unknown[],
  captures: Captures,
  path: string,
): string | undefined {
  if (!Array.isArray(got)) {
    const fits = wanted.some((choice) => difference(got, choice, captures, path) === undefined);
    return fits ? undefined : differs(path, got, wanted);
  }
  if (got.length !== wanted.length) return differs(path, got, wanted);
  for (let i = 0; i < wanted.length; i++) {
    const found = difference(got[i], wanted[i], captures, `${path}[${i}]`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function objectDifference(
  got: unknown,
  wanted: Fields,
  captures: Captures,
  path: string,
): string | undefined {
  if (Buffer.isBuffer(got)) {
    const hex = got.toString('hex');
    return hex === wanted['hex'] ? undefined : differs(path, hex, wanted['hex']);
  }
  for (const [name, field] of Object.entries(wanted)) {
    const found = difference((got as Fields)?.[name], field, captures, `${path}.${name}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function differs(path: string, got: unknown, wanted: unknown): string {
  return `${path} is ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function only(packet: PacketFields): readonly [type: string, fields: Fields] {
  const entries = Object.entries(packet);
  const entry = entries[0];
  if (entry === undefined || entries.length > 1) throw new Error('a packet has exactly one type');
  return entry;
}

/** `0x…` as a number; all else as it is. */
export function codeOf(value: unknown): unknown {
  return typeof value === 'string' && /^0x[0-9a-f]+$/.test(value) ? Number(value) : value;
}

/** Puts captured values, numbers and bytes where a case names them. */
function resolve(value: unknown, captures: Captures): unknown {
  if (typeof value === 'string') return captured(codeOf(value), captures);
  if (Array.isArray(value)) return value.map((item) => resolve(item, captures));
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  const { hex } = value as Fields;
  if (typeof hex === 'string') return Buffer.from(hex, 'hex');
  const entries = Object.entries(value).map(([name, item]) => [name, resolve(item, captures)]);
  return Object.fromEntries(entries);
}

function captured(value: unknown, captures: Captures): unknown {
  if (typeof value !== 'string' || !/^\$\w+$/.test(value)) return value;
  return captures.get(value.slice(1)) ?? value;
}
