/**
 * The codec of MQTT 3.1, 3.1.1 and 5.0 in both directions: `Framer` cuts a byte stream into
 * packets, `decode` and `encode` turn a packet into a value and back.
 */
export type { PacketBytes } from './byte-reader.js';
export * from './control-packet.js';
export { decode } from './decode.js';
export { encode } from './encode.js';
export {
  decodeForwardedProperties,
  encodeForwardedProperties,
  type ForwardedProperties,
} from './forwarded-properties.js';
export { Framer } from './framer.js';
export { packetTypeName } from './packet-type-name.js';
export { ProtocolViolation } from './protocol-violation.js';
export { isAllowedIn, ReasonCode, reasonCodeName } from './reason-code.js';
