import { ByteWriter } from './byte-writer.js';
import { type ControlPacket, PacketType, type ProtocolVersion } from './control-packet.js';
import { encodeAcknowledgement } from './encode-acknowledgement.js';
import { encodeConnack } from './encode-connack.js';
import { encodeConnect } from './encode-connect.js';
import { encodeAuth, encodeDisconnect } from './encode-disconnect.js';
import { encodePublish } from './encode-publish.js';
import {
  encodeSubscribe,
  encodeSubscribeAcknowledgement,
  encodeUnsubscribe,
} from './encode-subscribe.js';
import { firstByteOf } from './fixed-header.js';

/** Encoding never waits and never nests, so one buffer serves all. */
const writer = new ByteWriter();

/**
 * The packet's bytes, an exact buffer of its own. What a version does not have is left out, and
 * Reason Codes become the return codes of 3.1 and 3.1.1. CONNECT is encoded in its own
 * `protocolVersion`.
 */
export function encode(packet: ControlPacket, version: ProtocolVersion): Uint8Array {
  switch (packet.type) {
    case PacketType.CONNECT:
      return encodeConnect(writer, packet);
    case PacketType.CONNACK:
      return encodeConnack(writer, packet, version);
    case PacketType.PUBLISH:
      return encodePublish(writer, packet, version);
    case PacketType.PUBACK:
    case PacketType.PUBREC:
    case PacketType.PUBREL:
    case PacketType.PUBCOMP:
      return encodeAcknowledgement(writer, packet, version);
    case PacketType.SUBSCRIBE:
      return encodeSubscribe(writer, packet, version);
    case PacketType.UNSUBSCRIBE:
      return encodeUnsubscribe(writer, packet, version);
    case PacketType.SUBACK:
    case PacketType.UNSUBACK:
      return encodeSubscribeAcknowledgement(writer, packet, version);
    case PacketType.PINGREQ:
    case PacketType.PINGRESP:
      return Uint8Array.of(firstByteOf(packet.type), 0);
    case PacketType.DISCONNECT:
      return encodeDisconnect(writer, packet, version);
    case PacketType.AUTH:
      return encodeAuth(writer, packet);
  }
}
