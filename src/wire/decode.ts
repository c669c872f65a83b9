import { ByteReader, type PacketBytes } from './byte-reader.js';
import {
  type ControlPacket,
  PacketType,
  type Ping,
  type ProtocolVersion,
  type Sender,
} from './control-packet.js';
import { decodeAcknowledgement } from './decode-acknowledgement.js';
import { decodeConnect } from './decode-connect.js';
import { decodeAuth, decodeDisconnect } from './decode-disconnect.js';
import { decodePublishPacket } from './decode-publish.js';
import { decodeConnack, decodeSubscribeAcknowledgement } from './decode-server-packet.js';
import { decodeSubscribe, decodeUnsubscribe } from './decode-subscribe.js';
import { checkFixedHeader } from './fixed-header.js';

type Decoder = (source: PacketBytes, version: ProtocolVersion, from: Sender) => ControlPacket;

const DECODERS: Readonly<Record<PacketType, Decoder>> = {
  [PacketType.CONNECT]: decodeConnect,
  [PacketType.CONNACK]: decodeConnack,
  [PacketType.PUBLISH]: decodePublishPacket,
  [PacketType.PUBACK]: decodeAcknowledgement,
  [PacketType.PUBREC]: decodeAcknowledgement,
  [PacketType.PUBREL]: decodeAcknowledgement,
  [PacketType.PUBCOMP]: decodeAcknowledgement,
  [PacketType.SUBSCRIBE]: decodeSubscribe,
  [PacketType.SUBACK]: decodeSubscribeAcknowledgement,
  [PacketType.UNSUBSCRIBE]: decodeUnsubscribe,
  [PacketType.UNSUBACK]: decodeSubscribeAcknowledgement,
  [PacketType.PINGREQ]: decodePing,
  [PacketType.PINGRESP]: decodePing,
  [PacketType.DISCONNECT]: decodeDisconnect,
  [PacketType.AUTH]: decodeAuth,
};

/**
 * Decodes one whole packet into a value that owns all its parts. CONNECT says its own version,
 * whatever `version` is. Throws `ProtocolViolation` and nothing else.
 */
export function decode(source: PacketBytes, version: ProtocolVersion, from: Sender): ControlPacket {
  return DECODERS[checkFixedHeader(source, version, from)](source, version, from);
}

/** PINGREQ and PINGRESP have no body. */
function decodePing(source: PacketBytes, version: ProtocolVersion): Ping {
  const reader = new ByteReader(source, version);
  reader.expectEnd();
  return { type: (source.bytes[source.packetStart]! >> 4) as Ping['type'] };
}
