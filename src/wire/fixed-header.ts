import type { PacketBytes } from './byte-reader.js';
import { PacketType, type ProtocolVersion, type Sender } from './control-packet.js';
import { packetTypeName } from './packet-type-name.js';
import { malformed, protocolError } from './protocol-violation.js';

interface FixedHeaderRule {
  /** Bits 3 to 0 of the first byte; undefined where they carry information. */
  readonly flags: number | undefined;
  /** The sole sender, or undefined where both may send it. */
  readonly sender: Sender | undefined;
  /** The statement on its flags in 3.1.1 and 5.0, where the packet has one of its own. */
  readonly statement: string | undefined;
}

type Row = readonly [PacketType, number | undefined, Sender | undefined, string | undefined];
const P = PacketType;
// biome-ignore format: a table is read by its columns
const TABLE: readonly Row[] = [
  // type          flags      sender     statement
  [P.CONNECT,      0b0000,    'client',  undefined],
  [P.CONNACK,      0b0000,    'server',  undefined],
  [P.PUBLISH,      undefined, undefined, undefined],
  [P.PUBACK,       0b0000,    undefined, undefined],
  [P.PUBREC,       0b0000,    undefined, undefined],
  [P.PUBREL,       0b0010,    undefined, 'MQTT-3.6.1-1'],
  [P.PUBCOMP,      0b0000,    undefined, undefined],
  [P.SUBSCRIBE,    0b0010,    'client',  'MQTT-3.8.1-1'],
  [P.SUBACK,       0b0000,    'server',  undefined],
  [P.UNSUBSCRIBE,  0b0010,    'client',  'MQTT-3.10.1-1'],
  [P.UNSUBACK,     0b0000,    'server',  undefined],
  [P.PINGREQ,      0b0000,    'client',  undefined],
  [P.PINGRESP,     0b0000,    'server',  undefined],
  [P.DISCONNECT,   0b0000,    undefined, 'MQTT-3.14.1-1'],
  [P.AUTH,         0b0000,    undefined, 'MQTT-3.15.1-1'],
];

const RULES: FixedHeaderRule[] = [];
for (const [type, flags, sender, statement] of TABLE) RULES[type] = { flags, sender, statement };

/** The first byte of a packet whose flags are fixed. */
export function firstByteOf(type: PacketType): number {
  return (type << 4) | (RULES[type]!.flags ?? 0);
}

/** Checks type, direction and flags, and returns the type. */
export function checkFixedHeader(
  source: PacketBytes,
  version: ProtocolVersion,
  from: Sender,
): PacketType {
  const first = source.bytes[source.packetStart]!;
  const type = first >> 4;
  const rule = RULES[type];
  const reserved = version === 5 ? 'MQTT-2.1.3-1' : 'MQTT-2.2.2-2';
  if (rule === undefined || (type === PacketType.AUTH && version !== 5)) {
    malformed(`Packet type ${type} is reserved`, reserved);
  }
  if (rule.sender !== undefined && rule.sender !== from) {
    protocolError(`A ${from} may not send ${packetTypeName(type)}`);
  }
  const flags = first & 0x0f;
  if (rule.flags !== undefined && flags !== rule.flags && !isResendable(rule.flags, version)) {
    const name = packetTypeName(type);
    malformed(`${name}: the flags are ${flags}, not ${rule.flags}`, rule.statement ?? reserved);
  }
  return type as PacketType;
}

/**
 * In 3.1 PUBREL, SUBSCRIBE and UNSUBSCRIBE carry QoS 1 and DUP in their flags; not all clients do
 * it alike.
 */
function isResendable(flags: number, version: ProtocolVersion): boolean {
  return version === 3 && flags !== 0;
}
