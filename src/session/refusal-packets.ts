import { connectLevel } from '../wire/connect-level.js';
import {
  type Connack,
  type Connect,
  PacketType,
  type ProtocolVersion,
} from '../wire/control-packet.js';
import { encode } from '../wire/encode.js';
import type { Framer } from '../wire/framer.js';
import { ReasonCode } from '../wire/reason-code.js';
import { reasonStringFor } from './reason-string.js';

/** What a refused client is told beside the Reason Code. */
export type RefusalDetails = Pick<Connack, 'serverReference' | 'authenticationMethod'>;

/** CONNACK with a failure. */
export function encodeRefusal(
  version: ProtocolVersion,
  connect: Connect | undefined,
  refusal: { readonly reasonCode: ReasonCode; readonly sentence: string } & RefusalDetails,
): Uint8Array {
  const { sentence, ...rest } = refusal;
  const reasonString = reasonStringFor(sentence, connect);
  const type = PacketType.CONNACK;
  return encode({ type, sessionPresent: false, reasonString, ...rest }, version);
}

/**
 * The version of a client whose CONNECT cannot be read, where it can be told so by CONNACK.
 * [MQTT-3.1.4-1]
 */
export function versionToAnswer(
  framer: Framer,
  reasonCode: ReasonCode,
): ProtocolVersion | undefined {
  const level = connectLevel(framer);
  if (reasonCode === ReasonCode.UnsupportedProtocolVersion) return level < 5 ? 4 : 5;
  return level === 5 ? 5 : undefined;
}
