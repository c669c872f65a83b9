import type { UserProperties } from 'mqtt-packet';
import {
  type Connect,
  type ControlPacket,
  PacketType,
  type ProtocolVersion,
  type UserProperty,
  type WillMessage,
} from '../../src/wire/control-packet.js';
import {
  decodeForwardedProperties,
  encodeForwardedProperties,
} from '../../src/wire/forwarded-properties.js';
import type { PropertyField, PropertyValues } from '../../src/wire/property.js';
import { returnCodeOfReasonCode } from '../../src/wire/return-code.js';

export type Fields = Record<string, unknown>;

/** Our names of properties, where mqtt-packet has others. */
const OTHER_NAMES: Readonly<Partial<Record<PropertyField, string>>> = {
  messageExpiryIntervalSeconds: 'messageExpiryInterval',
  sessionExpiryIntervalSeconds: 'sessionExpiryInterval',
  serverKeepAliveSeconds: 'serverKeepAlive',
  delayIntervalSeconds: 'willDelayInterval',
  maximumPacketSizeBytes: 'maximumPacketSize',
};
const SAME_NAMES: readonly PropertyField[] = [
  'contentType',
  'responseTopic',
  'assignedClientIdentifier',
  'authenticationMethod',
  'requestProblemInformation',
  'requestResponseInformation',
  'responseInformation',
  'serverReference',
  'reasonString',
  'receiveMaximum',
  'topicAliasMaximum',
  'topicAlias',
  'maximumQoS',
  'retainAvailable',
  'wildcardSubscriptionAvailable',
  'subscriptionIdentifiersAvailable',
  'sharedSubscriptionAvailable',
];

function userProperties(list: readonly UserProperty[]): UserProperties {
  return Object.fromEntries(list);
}

function properties(values: PropertyValues): Fields | undefined {
  const result: Fields = {};
  for (const [ours, theirs] of Object.entries(OTHER_NAMES)) {
    result[theirs] = values[ours as PropertyField];
  }
  for (const name of SAME_NAMES) result[name] = values[name];
  const { payloadFormatIndicator, subscriptionIdentifiers: identifiers } = values;
  if (payloadFormatIndicator !== undefined) {
    result['payloadFormatIndicator'] = payloadFormatIndicator === 1;
  }
  if (values.correlationData) result['correlationData'] = Buffer.from(values.correlationData);
  if (values.authenticationData) {
    result['authenticationData'] = Buffer.from(values.authenticationData);
  }
  if (identifiers) {
    result['subscriptionIdentifier'] = identifiers.length === 1 ? identifiers[0] : identifiers;
  }
  if (values.userProperties?.length) {
    result['userProperties'] = userProperties(values.userProperties);
  }
  return present(result);
}

/** Without undefined fields; undefined when nothing is left. */
function present(fields: Fields): Fields | undefined {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** The packet as an object of mqtt-packet. */
export function asMqttPacket(packet: ControlPacket, version: ProtocolVersion): Fields {
  const five = version === 5;
  const common = five ? { properties: properties(packet as PropertyValues) } : {};
  switch (packet.type) {
    case PacketType.CONNECT:
      return present({ ...connectFields(packet), ...connectProperties(packet) })!;
    case PacketType.CONNACK: {
      const code = five
        ? { reasonCode: packet.reasonCode }
        : { returnCode: returnCodeOfReasonCode(packet.reasonCode) };
      return present({
        cmd: 'connack',
        sessionPresent: packet.sessionPresent && version !== 3,
        ...code,
        ...common,
      })!;
    }
    case PacketType.PUBLISH:
      return present({
        cmd: 'publish',
        dup: packet.dup,
        qos: packet.qos,
        retain: packet.retain,
        topic: packet.topicName,
        messageId: packet.qos > 0 ? packet.packetIdentifier : undefined,
        payload: Buffer.from(packet.payload),
        ...common,
      })!;
    case PacketType.SUBSCRIBE: {
      const { subscriptionIdentifier: identifier } = packet;
      const subscriptionIdentifiers = identifier === undefined ? undefined : [identifier];
      const values = { ...packet, subscriptionIdentifiers } as PropertyValues;
      return present({
        cmd: 'subscribe',
        messageId: packet.packetIdentifier,
        subscriptions: packet.entries.map(({ topicFilter: topic, options }) => {
          const { qos, noLocal: nl, retainAsPublished: rap, retainHandling: rh } = options;
          return five ? { topic, qos, nl, rap, rh } : { topic, qos };
        }),
        properties: five ? properties(values) : undefined,
      })!;
    }
    case PacketType.UNSUBSCRIBE:
      return present({
        cmd: 'unsubscribe',
        messageId: packet.packetIdentifier,
        unsubscriptions: [...packet.topicFilters],
        ...common,
      })!;
    case PacketType.SUBACK:
    case PacketType.UNSUBACK: {
      const granted = packet.reasonCodes.map((code) => (five ? code : Math.min(code, 0x80)));
      return present({
        cmd: packet.type === PacketType.SUBACK ? 'suback' : 'unsuback',
        messageId: packet.packetIdentifier,
        granted: five || packet.type === PacketType.SUBACK ? granted : undefined,
        ...common,
      })!;
    }
    default:
      return present({ ...otherFields(packet, five), ...common })!;
  }
}

type OtherPacket = Exclude<ControlPacket, Connect | { readonly type: 2 | 3 | 8 | 9 | 10 | 11 }>;

function otherFields(packet: OtherPacket, five: boolean): Fields {
  switch (packet.type) {
    case PacketType.PINGREQ:
      return { cmd: 'pingreq' };
    case PacketType.PINGRESP:
      return { cmd: 'pingresp' };
    case PacketType.DISCONNECT:
      return { cmd: 'disconnect', reasonCode: five ? packet.reasonCode : undefined };
    case PacketType.AUTH:
      return { cmd: 'auth', reasonCode: packet.reasonCode };
    default: {
      const names = { 4: 'puback', 5: 'pubrec', 6: 'pubrel', 7: 'pubcomp' } as const;
      const { packetIdentifier: messageId } = packet;
      const reasonCode = five ? packet.reasonCode : undefined;
      return { cmd: names[packet.type], messageId, reasonCode };
    }
  }
}

function connectFields(packet: Connect): Fields {
  const { protocolVersion, password } = packet;
  return {
    cmd: 'connect',
    protocolId: protocolVersion === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion,
    clean: packet.cleanStart,
    clientId: packet.clientIdentifier,
    keepalive: packet.keepAliveSeconds,
    username: packet.userName,
    password: password && Buffer.from(password),
    will: packet.will && willFields(packet.will, protocolVersion),
  };
}

function connectProperties(packet: Connect): Fields {
  if (packet.protocolVersion !== 5) return {};
  return {
    properties: properties({
      ...packet,
      sessionExpiryIntervalSeconds: packet.sessionExpiryIntervalSeconds || undefined,
      receiveMaximum: packet.receiveMaximum === 65_535 ? undefined : packet.receiveMaximum,
      topicAliasMaximum: packet.topicAliasMaximum || undefined,
      requestResponseInformation: packet.requestResponseInformation || undefined,
      requestProblemInformation: packet.requestProblemInformation ? undefined : false,
    }),
  };
}

function willFields(will: WillMessage, version: ProtocolVersion): Fields {
  const values = {
    ...decodeForwardedProperties(will.forwardedProperties),
    messageExpiryIntervalSeconds: will.messageExpiryIntervalSeconds,
    delayIntervalSeconds: will.delayIntervalSeconds || undefined,
  };
  return present({
    topic: will.topicName,
    payload: Buffer.from(will.payload),
    qos: will.qos,
    retain: will.retain,
    properties: version === 5 ? properties(values) : undefined,
  })!;
}

/** mqtt-packet keeps User Properties in an object: names are made unique, so order is kept. */
export function withUniqueNames(packet: ControlPacket): ControlPacket {
  if (packet.type === PacketType.CONNECT && packet.will !== undefined) {
    const forwarded = decodeForwardedProperties(packet.will.forwardedProperties);
    const forwardedProperties = encodeForwardedProperties(renamed(forwarded));
    return renamed({ ...packet, will: { ...packet.will, forwardedProperties } });
  }
  return renamed(packet);
}

function renamed<T extends object>(values: T): T {
  const { userProperties: list } = values as { userProperties?: readonly UserProperty[] };
  if (list === undefined) return values;
  return { ...values, userProperties: list.map(([, value], index) => [`p${index}`, value]) };
}
