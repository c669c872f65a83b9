import { PacketType, type UserProperty } from './control-packet.js';

/** Data types of properties (5.0, section 1.5). */
export const DataType = {
  Byte: 0,
  TwoByteInteger: 1,
  FourByteInteger: 2,
  VariableByteInteger: 3,
  BinaryData: 4,
  Utf8String: 5,
  Utf8StringPair: 6,
} as const;
export type DataType = (typeof DataType)[keyof typeof DataType];

/**
 * What a value must satisfy beyond its data type. `Boolean` is a Byte 0 or 1 that packets show as a
 * boolean.
 */
export const ValueRule = { Any: 0, ZeroOrOne: 1, Boolean: 2, NotZero: 3, NoWildcards: 4 } as const;
export type ValueRule = (typeof ValueRule)[keyof typeof ValueRule];

/** Property identifiers (5.0, section 2.2.2.2). */
export const PropertyIdentifier = {
  PayloadFormatIndicator: 0x01,
  MessageExpiryInterval: 0x02,
  ContentType: 0x03,
  ResponseTopic: 0x08,
  CorrelationData: 0x09,
  SubscriptionIdentifier: 0x0b,
  SessionExpiryInterval: 0x11,
  AssignedClientIdentifier: 0x12,
  ServerKeepAlive: 0x13,
  AuthenticationMethod: 0x15,
  AuthenticationData: 0x16,
  RequestProblemInformation: 0x17,
  WillDelayInterval: 0x18,
  RequestResponseInformation: 0x19,
  ResponseInformation: 0x1a,
  ServerReference: 0x1c,
  ReasonString: 0x1f,
  ReceiveMaximum: 0x21,
  TopicAliasMaximum: 0x22,
  TopicAlias: 0x23,
  MaximumQoS: 0x24,
  RetainAvailable: 0x25,
  UserProperty: 0x26,
  MaximumPacketSize: 0x27,
  WildcardSubscriptionAvailable: 0x28,
  SubscriptionIdentifiersAvailable: 0x29,
  SharedSubscriptionAvailable: 0x2a,
} as const;

/** Will Properties stand in CONNECT but are a set of their own; packet type 0 is free for them. */
export const WILL = 0;
export type PropertyOwner = PacketType | typeof WILL;

/** Values of properties under the names that the packets use for them. */
export interface PropertyValues {
  payloadFormatIndicator?: 0 | 1 | undefined;
  messageExpiryIntervalSeconds?: number | undefined;
  contentType?: string | undefined;
  responseTopic?: string | undefined;
  correlationData?: Uint8Array | undefined;
  subscriptionIdentifiers?: readonly number[] | undefined;
  sessionExpiryIntervalSeconds?: number | undefined;
  assignedClientIdentifier?: string | undefined;
  serverKeepAliveSeconds?: number | undefined;
  authenticationMethod?: string | undefined;
  authenticationData?: Uint8Array | undefined;
  requestProblemInformation?: boolean | undefined;
  delayIntervalSeconds?: number | undefined;
  requestResponseInformation?: boolean | undefined;
  responseInformation?: string | undefined;
  serverReference?: string | undefined;
  reasonString?: string | undefined;
  receiveMaximum?: number | undefined;
  topicAliasMaximum?: number | undefined;
  topicAlias?: number | undefined;
  maximumQoS?: 0 | 1 | undefined;
  retainAvailable?: boolean | undefined;
  userProperties?: readonly UserProperty[] | undefined;
  maximumPacketSizeBytes?: number | undefined;
  wildcardSubscriptionAvailable?: boolean | undefined;
  subscriptionIdentifiersAvailable?: boolean | undefined;
  sharedSubscriptionAvailable?: boolean | undefined;
}
export type PropertyField = keyof PropertyValues;

export interface PropertyDefinition {
  readonly identifier: number;
  /** The specification's name. */
  readonly name: string;
  readonly field: PropertyField;
  readonly dataType: DataType;
  readonly rule: ValueRule;
  /** One bit for each `PropertyOwner` in which it may stand. */
  readonly owners: number;
  /** One bit for each `PropertyOwner` in which it may stand more than once. */
  readonly repeatsIn: number;
  /** Its own bit in a set of properties. */
  readonly bit: number;
}

function bits(...owners: readonly PropertyOwner[]): number {
  return owners.reduce<number>((mask, owner) => mask | (1 << owner), 0);
}

const P = PacketType;
const MESSAGE = bits(P.PUBLISH, WILL);
const CONNECT = bits(P.CONNECT);
const CONNACK = bits(P.CONNACK);
const PUBLISH = bits(P.PUBLISH);
const SUBSCRIBE = bits(P.SUBSCRIBE);
const DISCONNECT = bits(P.DISCONNECT);
const BOTH_CONNECTS = CONNECT | CONNACK;
const AUTHENTICATING = BOTH_CONNECTS | bits(P.AUTH);
const ANSWERS =
  CONNACK |
  bits(P.PUBACK, P.PUBREC, P.PUBREL, P.PUBCOMP, P.SUBACK, P.UNSUBACK, P.DISCONNECT, P.AUTH);
const EVERYWHERE = CONNECT | MESSAGE | ANSWERS | bits(P.SUBSCRIBE, P.UNSUBSCRIBE);

const D = DataType;
const V = ValueRule;
type Row = readonly [PropertyField, DataType, ValueRule, owners: number, repeatsIn?: number];

const TABLE: Readonly<Record<keyof typeof PropertyIdentifier, Row>> = {
  PayloadFormatIndicator: ['payloadFormatIndicator', D.Byte, V.ZeroOrOne, MESSAGE],
  MessageExpiryInterval: ['messageExpiryIntervalSeconds', D.FourByteInteger, V.Any, MESSAGE],
  ContentType: ['contentType', D.Utf8String, V.Any, MESSAGE],
  ResponseTopic: ['responseTopic', D.Utf8String, V.NoWildcards, MESSAGE],
  CorrelationData: ['correlationData', D.BinaryData, V.Any, MESSAGE],
  SubscriptionIdentifier: [
    'subscriptionIdentifiers',
    D.VariableByteInteger,
    V.NotZero,
    PUBLISH | SUBSCRIBE,
    PUBLISH,
  ],
  SessionExpiryInterval: [
    'sessionExpiryIntervalSeconds',
    D.FourByteInteger,
    V.Any,
    BOTH_CONNECTS | DISCONNECT,
  ],
  AssignedClientIdentifier: ['assignedClientIdentifier', D.Utf8String, V.Any, CONNACK],
  ServerKeepAlive: ['serverKeepAliveSeconds', D.TwoByteInteger, V.Any, CONNACK],
  AuthenticationMethod: ['authenticationMethod', D.Utf8String, V.Any, AUTHENTICATING],
  AuthenticationData: ['authenticationData', D.BinaryData, V.Any, AUTHENTICATING],
  RequestProblemInformation: ['requestProblemInformation', D.Byte, V.Boolean, CONNECT],
  WillDelayInterval: ['delayIntervalSeconds', D.FourByteInteger, V.Any, bits(WILL)],
  RequestResponseInformation: ['requestResponseInformation', D.Byte, V.Boolean, CONNECT],
  ResponseInformation: ['responseInformation', D.Utf8String, V.Any, CONNACK],
  ServerReference: ['serverReference', D.Utf8String, V.Any, CONNACK | DISCONNECT],
  ReasonString: ['reasonString', D.Utf8String, V.Any, ANSWERS],
  ReceiveMaximum: ['receiveMaximum', D.TwoByteInteger, V.NotZero, BOTH_CONNECTS],
  TopicAliasMaximum: ['topicAliasMaximum', D.TwoByteInteger, V.Any, BOTH_CONNECTS],
  TopicAlias: ['topicAlias', D.TwoByteInteger, V.NotZero, PUBLISH],
  MaximumQoS: ['maximumQoS', D.Byte, V.ZeroOrOne, CONNACK],
  RetainAvailable: ['retainAvailable', D.Byte, V.Boolean, CONNACK],
  UserProperty: ['userProperties', D.Utf8StringPair, V.Any, EVERYWHERE, EVERYWHERE],
  MaximumPacketSize: ['maximumPacketSizeBytes', D.FourByteInteger, V.NotZero, BOTH_CONNECTS],
  WildcardSubscriptionAvailable: ['wildcardSubscriptionAvailable', D.Byte, V.Boolean, CONNACK],
  SubscriptionIdentifiersAvailable: [
    'subscriptionIdentifiersAvailable',
    D.Byte,
    V.Boolean,
    CONNACK,
  ],
  SharedSubscriptionAvailable: ['sharedSubscriptionAvailable', D.Byte, V.Boolean, CONNACK],
};

/** All 27 properties, ordered by identifier. */
export const PROPERTIES: readonly PropertyDefinition[] = Object.entries(TABLE).map(
  ([key, [field, dataType, rule, owners, repeatsIn = 0]], index) => ({
    identifier: PropertyIdentifier[key as keyof typeof PropertyIdentifier],
    name: key.replace(/(?<=[a-z])(?=[A-Z][a-z])/g, ' '),
    field,
    dataType,
    rule,
    owners,
    repeatsIn,
    bit: 1 << index,
  }),
);

const BY_IDENTIFIER: (PropertyDefinition | undefined)[] = Array.from({ length: 256 });
for (const definition of PROPERTIES) BY_IDENTIFIER[definition.identifier] = definition;

/**
 * Undefined for an identifier that 5.0 does not define. Identifiers take one byte: all are below
 * 128.
 */
export function propertyDefinition(identifier: number): PropertyDefinition | undefined {
  return BY_IDENTIFIER[identifier];
}
