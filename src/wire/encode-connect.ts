import type { ByteWriter } from './byte-writer.js';
import { type Connect, PacketType, type WillMessage } from './control-packet.js';
import { firstByteOf } from './fixed-header.js';
import { WILL } from './property.js';
import { writeProperties, writePropertyList } from './write-properties.js';

/** Values that a property has when it is absent, so it is left out. */
const RECEIVE_MAXIMUM_DEFAULT = 65_535;

/** CONNECT in the version that the packet itself names; its layout stands at `decodeConnect`. */
export function encodeConnect(writer: ByteWriter, packet: Connect): Uint8Array {
  const { protocolVersion: version, will, userName, password } = packet;
  writer.begin();
  writer.utf8String(version === 3 ? 'MQIsdp' : 'MQTT');
  writer.byte(version);
  writer.byte(connectFlags(packet));
  writer.twoByteInteger(packet.keepAliveSeconds);
  if (version === 5) {
    writeProperties(writer, PacketType.CONNECT, {
      ...packet,
      sessionExpiryIntervalSeconds: packet.sessionExpiryIntervalSeconds || undefined,
      receiveMaximum:
        packet.receiveMaximum === RECEIVE_MAXIMUM_DEFAULT ? undefined : packet.receiveMaximum,
      topicAliasMaximum: packet.topicAliasMaximum || undefined,
      requestResponseInformation: packet.requestResponseInformation || undefined,
      requestProblemInformation: packet.requestProblemInformation ? undefined : false,
    });
  }
  writer.utf8String(packet.clientIdentifier);
  if (will !== undefined) {
    if (version === 5) writeWillProperties(writer, will);
    writer.utf8String(will.topicName);
    writer.binaryData(will.payload);
  }
  if (userName !== undefined) writer.utf8String(userName);
  if (password !== undefined) writer.binaryData(password);
  return writer.finish(firstByteOf(PacketType.CONNECT));
}

function connectFlags({ cleanStart, will, userName, password }: Connect): number {
  let flags = cleanStart ? 0x02 : 0;
  if (will !== undefined) flags |= 0x04 | (will.qos << 3) | (will.retain ? 0x20 : 0);
  if (password !== undefined) flags |= 0x40;
  if (userName !== undefined) flags |= 0x80;
  return flags;
}

/** The Payload Format Indicator is among the forwarded properties, which go out as they stand. */
function writeWillProperties(writer: ByteWriter, will: WillMessage): void {
  writer.lengthPrefixed(() => {
    writePropertyList(writer, WILL, {
      messageExpiryIntervalSeconds: will.messageExpiryIntervalSeconds,
      delayIntervalSeconds: will.delayIntervalSeconds || undefined,
    });
    writer.raw(will.forwardedProperties);
  });
}
