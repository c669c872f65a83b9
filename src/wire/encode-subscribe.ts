import type { ByteWriter } from './byte-writer.js';
import {
  PacketType,
  type ProtocolVersion,
  type Subscribe,
  type SubscribeAcknowledgement,
  type SubscriptionOptions,
  type Unsubscribe,
} from './control-packet.js';
import { firstByteOf } from './fixed-header.js';
import { ReasonCode } from './reason-code.js';
import { writeProperties } from './write-properties.js';

/** SUBSCRIBE; its layout stands at `decodeSubscribe`. */
export function encodeSubscribe(
  writer: ByteWriter,
  packet: Subscribe,
  version: ProtocolVersion,
): Uint8Array {
  const { subscriptionIdentifier, userProperties } = packet;
  writer.begin();
  writer.twoByteInteger(packet.packetIdentifier);
  if (version === 5) {
    const subscriptionIdentifiers =
      subscriptionIdentifier === undefined ? undefined : [subscriptionIdentifier];
    writeProperties(writer, PacketType.SUBSCRIBE, { subscriptionIdentifiers, userProperties });
  }
  for (const { topicFilter, options } of packet.entries) {
    writer.utf8String(topicFilter);
    writer.byte(version === 5 ? optionsByte(options) : options.qos);
  }
  return writer.finish(firstByteOf(PacketType.SUBSCRIBE));
}

function optionsByte({ qos, noLocal, retainAsPublished, retainHandling }: SubscriptionOptions) {
  return qos | (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | (retainHandling << 4);
}

/** UNSUBSCRIBE; its layout stands at `decodeUnsubscribe`. */
export function encodeUnsubscribe(
  writer: ByteWriter,
  packet: Unsubscribe,
  version: ProtocolVersion,
): Uint8Array {
  writer.begin();
  writer.twoByteInteger(packet.packetIdentifier);
  if (version === 5) writeProperties(writer, PacketType.UNSUBSCRIBE, packet);
  for (const topicFilter of packet.topicFilters) writer.utf8String(topicFilter);
  return writer.finish(firstByteOf(PacketType.UNSUBSCRIBE));
}

/** SUBACK, UNSUBACK; the layout stands at `decodeSubscribeAcknowledgement`. */
export function encodeSubscribeAcknowledgement(
  writer: ByteWriter,
  packet: SubscribeAcknowledgement,
  version: ProtocolVersion,
): Uint8Array {
  const { type, reasonCodes } = packet;
  writer.begin();
  writer.twoByteInteger(packet.packetIdentifier);
  if (version === 5) {
    writeProperties(writer, type, packet);
    for (const code of reasonCodes) writer.byte(code);
  } else if (type === PacketType.SUBACK) {
    for (const code of reasonCodes) {
      writer.byte(Math.min(code, ReasonCode.UnspecifiedError)); // [MQTT-3.9.3-2]
    }
  }
  return writer.finish(firstByteOf(type));
}
