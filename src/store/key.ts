import { utf8Bytes, utf8Text } from '../base/utf8.js';
import { prefixEnd } from './byte-order.js';
import { DamagedRecord } from './damaged-record.js';

/**
 * The key families: one byte, then big-endian numbers, so that keys sort as their numbers do.
 * `sid` is a Session's number (6 bytes); values are in `record.ts`.
 *
 *   M name                    reserved numbers
 *   S sid                     Session
 *   D sid                     removed Session whose other records are still to be erased
 *   P sid                     where the Session's queue stands
 *   U sid TopicFilter         subscription
 *   Q sid sequence(8)         queue entry, with its message or the number of a shared one
 *   O sid identifier(2)       outbound exchange
 *   I sid identifier(2)       inbound QoS 2 exchange
 *   B number(8)               a message that several queue entries share
 *   K number(8)               how many queue entries share it
 *   R TopicName, / as 0x00    retained message: in tree order
 *   V ClientIdentifier        what is known of a device
 */
export const Family = {
  Meta: 0x4d,
  Session: 0x53,
  Removed: 0x44,
  Position: 0x50,
  Subscription: 0x55,
  Queue: 0x51,
  Exchange: 0x4f,
  Received: 0x49,
  Body: 0x42,
  BodyCount: 0x4b,
  Retained: 0x52,
  Device: 0x56,
} as const;
export type Family = (typeof Family)[keyof typeof Family];

const SID = 1;
const BEHIND_SID = 7;
const TWO_32 = 0x1_0000_0000;

export function familyPrefix(family: Family): Uint8Array {
  return Uint8Array.of(family);
}

export function metaKey(name: string): Uint8Array {
  return withBytes(Family.Meta, utf8Bytes(name));
}

/** `S`, `D`, `P`, and the prefix of all that a Session has in the other families. */
export function sessionKey(family: Family, sessionNumber: number): Uint8Array {
  return startSessionKey(family, sessionNumber, BEHIND_SID);
}

export function subscriptionKey(sessionNumber: number, topicFilter: string): Uint8Array {
  const filter = utf8Bytes(topicFilter);
  const key = startSessionKey(Family.Subscription, sessionNumber, BEHIND_SID + filter.length);
  key.set(filter, BEHIND_SID);
  return key;
}

export function queueKey(sessionNumber: number, sequence: number): Uint8Array {
  const key = startSessionKey(Family.Queue, sessionNumber, BEHIND_SID + 8);
  setNumber(key, BEHIND_SID, 8, sequence);
  return key;
}

/** `O` and `I`. */
export function identifierKey(
  family: Family,
  sessionNumber: number,
  packetIdentifier: number,
): Uint8Array {
  const key = startSessionKey(family, sessionNumber, BEHIND_SID + 2);
  key[BEHIND_SID] = packetIdentifier >>> 8;
  key[BEHIND_SID + 1] = packetIdentifier;
  return key;
}

/** `B` and `K`. */
export function bodyKey(family: Family, number: number): Uint8Array {
  const key = new Uint8Array(9);
  key[0] = family;
  setNumber(key, 1, 8, number);
  return key;
}

export function retainedKey(topicBytes: Uint8Array): Uint8Array {
  const key = withBytes(Family.Retained, topicBytes);
  swap(key, 0x2f, 0x00);
  return key;
}

export function deviceKey(clientIdentifier: string): Uint8Array {
  return withBytes(Family.Device, utf8Bytes(clientIdentifier));
}

/** From the session's first key of the family to behind its last. */
export function sessionRange(
  family: Family,
  sessionNumber: number,
): { gte: Uint8Array; lt: Uint8Array } {
  const gte = sessionKey(family, sessionNumber);
  return { gte, lt: prefixEnd(gte) };
}

export function sessionNumberOf(key: Uint8Array): number {
  if (key.length < BEHIND_SID) throw new DamagedRecord(key, 'its key is too short');
  return numberAt(key, SID, 6);
}

export function sequenceOf(key: Uint8Array): number {
  expectLength(key, BEHIND_SID + 8);
  return numberAt(key, BEHIND_SID, 8);
}

export function packetIdentifierOf(key: Uint8Array): number {
  expectLength(key, BEHIND_SID + 2);
  const packetIdentifier = numberAt(key, BEHIND_SID, 2);
  if (packetIdentifier === 0) throw new DamagedRecord(key, 'its Packet Identifier is 0');
  return packetIdentifier;
}

export function topicFilterOf(key: Uint8Array): string {
  if (key.length <= BEHIND_SID) throw new DamagedRecord(key, 'its Topic Filter is empty');
  return utf8Text(key, BEHIND_SID, key.length);
}

export function bodyNumberOf(key: Uint8Array): number {
  expectLength(key, 9);
  return numberAt(key, 1, 8);
}

/** A copy of the Topic Name in a retained message's key. */
export function topicBytesOf(key: Uint8Array): Uint8Array {
  if (key.length < 2) throw new DamagedRecord(key, 'its Topic Name is empty');
  const topicBytes = new Uint8Array(key.subarray(1));
  swap(topicBytes, 0x00, 0x2f);
  return topicBytes;
}

function startSessionKey(family: Family, sessionNumber: number, length: number): Uint8Array {
  const key = new Uint8Array(length);
  key[0] = family;
  setNumber(key, SID, 6, sessionNumber);
  return key;
}

function withBytes(family: Family, bytes: Uint8Array): Uint8Array {
  const key = new Uint8Array(1 + bytes.length);
  key[0] = family;
  key.set(bytes, 1);
  return key;
}

function swap(bytes: Uint8Array, from: number, to: number): void {
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === from) bytes[i] = to;
  }
}

function setNumber(bytes: Uint8Array, at: number, length: number, number: number): void {
  let low = number >>> 0;
  let high = Math.floor(number / TWO_32);
  for (let i = length - 1; i >= Math.max(0, length - 4); i--) {
    bytes[at + i] = low;
    low >>>= 8;
  }
  for (let i = length - 5; i >= 0; i--) {
    bytes[at + i] = high;
    high >>>= 8;
  }
}

function numberAt(bytes: Uint8Array, at: number, length: number): number {
  let number = 0;
  for (let i = 0; i < length; i++) number = number * 256 + bytes[at + i]!;
  return number;
}

function expectLength(key: Uint8Array, length: number): void {
  if (key.length !== length) throw new DamagedRecord(key, `its key is not ${length} bytes long`);
}
