import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import { PacketType } from './control-packet.js';
import type { PropertyValues } from './property.js';
import { readPropertyList } from './read-properties.js';
import { writePropertyList } from './write-properties.js';

/** The properties that a Server forwards unaltered. */
export interface ForwardedProperties
  extends Pick<
    PropertyValues,
    | 'payloadFormatIndicator'
    | 'contentType'
    | 'responseTopic'
    | 'correlationData'
    | 'userProperties'
  > {}

const writer = new ByteWriter();

/** As `ApplicationMessage.properties` and `WillMessage.forwardedProperties` hold them. */
export function encodeForwardedProperties(values: ForwardedProperties): Uint8Array {
  const { payloadFormatIndicator, contentType, responseTopic } = values;
  const { correlationData, userProperties } = values;
  writer.begin();
  writePropertyList(writer, PacketType.PUBLISH, {
    payloadFormatIndicator,
    contentType,
    responseTopic,
    correlationData,
    userProperties,
  });
  return writer.body();
}

/**
 * The reverse, for clients inside the process. Throws `ProtocolViolation` on bytes that no check
 * has seen.
 */
export function decodeForwardedProperties(bytes: Uint8Array): ForwardedProperties {
  const source = { bytes, packetStart: 0, bodyStart: 0, packetEnd: bytes.length };
  return readPropertyList(new ByteReader(source, 5, PacketType.PUBLISH), PacketType.PUBLISH);
}
