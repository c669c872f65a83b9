import type { ListenerLimits } from '../session/limits.js';
import type { Connack, Connect } from '../wire/control-packet.js';

const RECEIVE_MAXIMUM_DEFAULT = 65_535;

/**
 * What CONNACK announces of this server (5.0, section 3.2.2.3); values that are the default are
 * left out.
 */
export function announcedCapabilities(
  limits: ListenerLimits,
): Omit<Connack, 'type' | 'reasonCode' | 'sessionPresent'> {
  return {
    receiveMaximum:
      limits.receiveMaximum < RECEIVE_MAXIMUM_DEFAULT ? limits.receiveMaximum : undefined,
    maximumQoS: limits.qosMax < 2 ? (limits.qosMax as 0 | 1) : undefined,
    retainAvailable: limits.retainAvailable ? undefined : false,
    maximumPacketSizeBytes: limits.packetBytesMax,
    topicAliasMaximum: limits.topicAliasMaximum > 0 ? limits.topicAliasMaximum : undefined,
    wildcardSubscriptionAvailable: limits.wildcardSubscriptionAvailable ? undefined : false,
    subscriptionIdentifiersAvailable: limits.subscriptionIdentifiersAvailable ? undefined : false,
    sharedSubscriptionAvailable: limits.sharedSubscriptionAvailable ? undefined : false,
  };
}

/** Session expiry granted, in seconds; 0 ends the Session with its connection. */
export function grantedExpirySeconds(connect: Connect, limits: ListenerLimits): number {
  if (connect.protocolVersion === 5) {
    return Math.min(connect.sessionExpiryIntervalSeconds, limits.sessionExpirySecondsMax);
  }
  return connect.cleanStart ? 0 : limits.legacySessionExpirySeconds;
}

/**
 * Keep Alive in force: 5.0 clients are told when it is not theirs. `wanted` is what a rule gives
 * them whatever they ask for. [MQTT-3.1.2-21]
 */
export function grantedKeepAliveSeconds(
  connect: Connect,
  limits: ListenerLimits,
  wanted?: number,
): number {
  const max = limits.keepAliveSecondsMax;
  const asked = connect.keepAliveSeconds;
  if (connect.protocolVersion !== 5) return asked;
  if (wanted !== undefined) return wanted;
  if (max === 0) return asked;
  return asked === 0 || asked > max ? max : asked;
}

/** QoS 1 and 2 messages that may be in flight to this client. [MQTT-3.3.4-9] */
export function grantedInFlight(connect: Connect, limits: ListenerLimits): number {
  return connect.protocolVersion === 5
    ? Math.min(connect.receiveMaximum, limits.inFlightMax)
    : limits.legacyInFlightMax;
}
