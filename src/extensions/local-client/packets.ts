import { assert } from '../../base/assert.js';
import { utf8Bytes } from '../../base/utf8.js';
import type { Limits } from '../../session/limits.js';
import { parseTopicFilter } from '../../topic/topic-filter.js';
import { isTopicName } from '../../topic/topic-name.js';
import {
  type Connack,
  type Connect,
  PacketType,
  type PublishPacket,
  type Subscribe,
  type WillMessage,
} from '../../wire/control-packet.js';
import { encodeForwardedProperties } from '../../wire/forwarded-properties.js';
import { keep } from '../../wire/keep.js';
import { ReasonCode } from '../../wire/reason-code.js';
import { LocalClientError } from './local-client-error.js';
import type {
  LocalClientOptions,
  LocalPublishOptions,
  LocalSubscribeOptions,
  LocalWill,
} from './options.js';

const RECEIVE_MAXIMUM_DEFAULT = 64;
const RECEIVE_MAXIMUM_MAX = 65_535;

export function connectPacket(options: LocalClientOptions): Connect {
  const { receiveMaximum = RECEIVE_MAXIMUM_DEFAULT, password, will } = options;
  assert(
    Number.isInteger(receiveMaximum) && receiveMaximum > 0 && receiveMaximum <= RECEIVE_MAXIMUM_MAX,
    'receiveMaximum is 1 to 65,535',
  );
  return {
    type: PacketType.CONNECT,
    protocolVersion: 5,
    cleanStart: options.cleanStart ?? true,
    keepAliveSeconds: 0,
    clientIdentifier: options.clientIdentifier ?? '',
    will: will === undefined ? undefined : willMessage(will),
    userName: options.userName,
    password: password === undefined ? undefined : bytesOf(password),
    sessionExpiryIntervalSeconds: options.sessionExpirySeconds ?? 0,
    receiveMaximum,
    maximumPacketSizeBytes: undefined,
    topicAliasMaximum: 0,
    requestResponseInformation: false,
    requestProblemInformation: true,
    userProperties: [],
    authenticationMethod: undefined,
    authenticationData: undefined,
  };
}

function willMessage(will: LocalWill): WillMessage {
  const { payloadFormatIndicator = 0 } = will;
  return {
    topicName: will.topicName,
    payload: bytesOf(will.payload),
    qos: will.qos ?? 0,
    retain: will.retain ?? false,
    delayIntervalSeconds: will.delaySeconds ?? 0,
    messageExpiryIntervalSeconds: will.messageExpirySeconds,
    payloadFormatIndicator,
    forwardedProperties: encodeForwardedProperties({
      payloadFormatIndicator: payloadFormatIndicator || undefined,
      contentType: will.contentType,
      responseTopic: will.responseTopic,
      correlationData: will.correlationData,
      userProperties: will.userProperties,
    }),
  };
}

/**
 * The Packet Identifier comes when it is sent; the bytes may be changed by the caller as soon as
 * this returns.
 */
export function publishPacket(
  topicName: string,
  payload: string | Uint8Array,
  options: LocalPublishOptions,
): PublishPacket {
  const { correlationData } = options;
  return {
    type: PacketType.PUBLISH,
    dup: false,
    qos: options.qos ?? 0,
    retain: options.retain ?? false,
    topicName,
    packetIdentifier: 0,
    payload: typeof payload === 'string' ? utf8Bytes(payload) : keep(payload),
    payloadFormatIndicator: options.payloadFormatIndicator || undefined,
    messageExpiryIntervalSeconds: options.messageExpirySeconds,
    responseTopic: options.responseTopic,
    correlationData: correlationData === undefined ? undefined : keep(correlationData),
    userProperties: options.userProperties,
    contentType: options.contentType,
  };
}

export function subscribePacket(
  topicFilter: string,
  subscriptionIdentifier: number,
  options: LocalSubscribeOptions,
): Subscribe {
  const { qos = 0, noLocal = false, retainAsPublished = false, retainHandling = 0 } = options;
  return {
    type: PacketType.SUBSCRIBE,
    packetIdentifier: 0,
    subscriptionIdentifier,
    userProperties: [],
    entries: [{ topicFilter, options: { qos, noLocal, retainAsPublished, retainHandling } }],
  };
}

/**
 * What the broker would end the connection for is refused here: one wrong name must not cost the
 * others.
 */
export function judgePublish(
  packet: PublishPacket,
  connack: Connack,
  limits: Limits,
): LocalClientError | undefined {
  const { topicName, responseTopic, qos, retain } = packet;
  if (!isTopicName(topicName, limits)) {
    return refused(ReasonCode.TopicNameInvalid, `"${topicName}" is not a Topic Name`);
  }
  if (responseTopic !== undefined && !isTopicName(responseTopic, limits)) {
    return refused(ReasonCode.TopicNameInvalid, `"${responseTopic}" is not a Topic Name`);
  }
  const { maximumQoS = 2, retainAvailable = true } = connack;
  if (qos > maximumQoS) {
    return refused(ReasonCode.QoSNotSupported, `QoS ${qos} is above the Maximum QoS`);
  }
  if (retain && !retainAvailable) {
    return refused(ReasonCode.RetainNotSupported, 'retained messages are switched off');
  }
  return undefined;
}

export function judgeSubscribe(
  topicFilter: string,
  options: LocalSubscribeOptions,
  connack: Connack,
  limits: Limits,
): LocalClientError | undefined {
  const parsed = parseTopicFilter(topicFilter, limits);
  if (parsed === undefined) {
    return refused(ReasonCode.TopicFilterInvalid, `"${topicFilter}" is not a Topic Filter`);
  }
  if (parsed.shareName !== undefined && options.noLocal) {
    const sentence = 'a Shared Subscription has no No Local'; // [MQTT-3.8.3-4]
    return refused(ReasonCode.ProtocolError, sentence);
  }
  if (connack.subscriptionIdentifiersAvailable === false) {
    const sentence = 'the limit subscriptionIdentifiersAvailable is off, and this client needs it';
    return refused(ReasonCode.SubscriptionIdentifiersNotSupported, sentence);
  }
  return undefined;
}

function refused(reasonCode: ReasonCode, sentence: string): LocalClientError {
  return new LocalClientError('refused', reasonCode, sentence);
}

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? utf8Bytes(value) : value;
}
