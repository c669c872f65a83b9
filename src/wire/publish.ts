import type { QoS } from './control-packet.js';

const NO_BYTES = new Uint8Array(0);

/**
 * A PUBLISH as it lies in the read chunk: offsets, no copies. One instance per broker is decoded
 * into again and again, so it is valid only until the next packet is read; whoever keeps a part
 * copies it.
 *
 *   bytes  ─┬ packetStart: fixed header
 *           ├ topicStart … topicEnd            empty where a Topic Alias stands for the name
 *           ├ Packet Identifier (QoS > 0)
 *           ├ propertiesStart … propertiesEnd  5.0 only, behind the Property Length
 *           └ payloadStart … packetEnd
 */
export class Publish {
  bytes: Uint8Array = NO_BYTES;
  packetStart = 0;
  packetEnd = 0;
  dup = false;
  qos: QoS = 0;
  retain = false;
  topicStart = 0;
  topicEnd = 0;
  /** 0 at QoS 0. */
  packetIdentifier = 0;
  propertiesStart = 0;
  propertiesEnd = 0;
  payloadStart = 0;
  /** 0 when absent. */
  topicAlias = 0;
  /** -1 when absent. */
  messageExpiryIntervalSeconds = -1;
  payloadFormatIndicator: 0 | 1 = 0;
  /**
   * True when every property may be forwarded as it stands: no Topic Alias and no Message Expiry
   * Interval among them. Otherwise `forwardedProperties` makes the copy without those two.
   */
  propertiesAreVerbatim = true;
  /** The bytes are this packet's alone and stay as they are. */
  isOwned = false;
}
