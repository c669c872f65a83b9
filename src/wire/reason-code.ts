import { PacketType, type Sender } from './control-packet.js';

/**
 * Reason Codes (5.0, section 2.4). The value is what stands on the wire; 0x80 and above is a
 * failure.
 */
export const ReasonCode = {
  Success: 0x00,
  NormalDisconnection: 0x00,
  GrantedQoS0: 0x00,
  GrantedQoS1: 0x01,
  GrantedQoS2: 0x02,
  DisconnectWithWillMessage: 0x04,
  NoMatchingSubscribers: 0x10,
  NoSubscriptionExisted: 0x11,
  ContinueAuthentication: 0x18,
  ReAuthenticate: 0x19,
  UnspecifiedError: 0x80,
  MalformedPacket: 0x81,
  ProtocolError: 0x82,
  ImplementationSpecificError: 0x83,
  UnsupportedProtocolVersion: 0x84,
  ClientIdentifierNotValid: 0x85,
  BadUserNameOrPassword: 0x86,
  NotAuthorized: 0x87,
  ServerUnavailable: 0x88,
  ServerBusy: 0x89,
  Banned: 0x8a,
  ServerShuttingDown: 0x8b,
  BadAuthenticationMethod: 0x8c,
  KeepAliveTimeout: 0x8d,
  SessionTakenOver: 0x8e,
  TopicFilterInvalid: 0x8f,
  TopicNameInvalid: 0x90,
  PacketIdentifierInUse: 0x91,
  PacketIdentifierNotFound: 0x92,
  ReceiveMaximumExceeded: 0x93,
  TopicAliasInvalid: 0x94,
  PacketTooLarge: 0x95,
  MessageRateTooHigh: 0x96,
  QuotaExceeded: 0x97,
  AdministrativeAction: 0x98,
  PayloadFormatInvalid: 0x99,
  RetainNotSupported: 0x9a,
  QoSNotSupported: 0x9b,
  UseAnotherServer: 0x9c,
  ServerMoved: 0x9d,
  SharedSubscriptionsNotSupported: 0x9e,
  ConnectionRateExceeded: 0x9f,
  MaximumConnectTime: 0xa0,
  SubscriptionIdentifiersNotSupported: 0xa1,
  WildcardSubscriptionsNotSupported: 0xa2,
} as const;

export type ReasonCode = (typeof ReasonCode)[keyof typeof ReasonCode];

interface ReasonCodeDefinition {
  /** The specification's name. */
  readonly name: string;
  /** One bit for each packet type in which a client, a server may use it. */
  readonly byClient: number;
  readonly byServer: number;
}

function bits(...types: readonly PacketType[]): number {
  return types.reduce<number>((mask, type) => mask | (1 << type), 0);
}

const P = PacketType;
const R = ReasonCode;
const CONNACK = bits(P.CONNACK);
const SUBACK = bits(P.SUBACK);
const UNSUBACK = bits(P.UNSUBACK);
const DISCONNECT = bits(P.DISCONNECT);
const AUTH = bits(P.AUTH);
const RECEIVED = bits(P.PUBACK, P.PUBREC);
const COMPLETING = bits(P.PUBREL, P.PUBCOMP);
const CONNECTION = CONNACK | DISCONNECT;
const ANY_REQUEST = CONNECTION | RECEIVED | SUBACK | UNSUBACK;

type Row = readonly [ReasonCode, string, number, number];
const TABLE: readonly Row[] = [
  // reason code, name, by a client, by a server
  [
    R.Success,
    'Success',
    RECEIVED | COMPLETING | DISCONNECT,
    CONNACK | RECEIVED | COMPLETING | SUBACK | UNSUBACK | DISCONNECT | AUTH,
  ],
  [R.GrantedQoS1, 'Granted QoS 1', 0, SUBACK],
  [R.GrantedQoS2, 'Granted QoS 2', 0, SUBACK],
  [R.DisconnectWithWillMessage, 'Disconnect with Will Message', DISCONNECT, 0],
  [R.NoMatchingSubscribers, 'No matching subscribers', 0, RECEIVED],
  [R.NoSubscriptionExisted, 'No subscription existed', 0, UNSUBACK],
  [R.ContinueAuthentication, 'Continue authentication', AUTH, AUTH],
  [R.ReAuthenticate, 'Re-authenticate', AUTH, 0],
  [R.UnspecifiedError, 'Unspecified error', RECEIVED | DISCONNECT, ANY_REQUEST],
  [R.MalformedPacket, 'Malformed Packet', DISCONNECT, CONNECTION],
  [R.ProtocolError, 'Protocol Error', DISCONNECT, CONNECTION],
  [
    R.ImplementationSpecificError,
    'Implementation specific error',
    RECEIVED | DISCONNECT,
    ANY_REQUEST,
  ],
  [R.UnsupportedProtocolVersion, 'Unsupported Protocol Version', 0, CONNACK],
  [R.ClientIdentifierNotValid, 'Client Identifier not valid', 0, CONNACK],
  [R.BadUserNameOrPassword, 'Bad User Name or Password', 0, CONNACK],
  [R.NotAuthorized, 'Not authorized', RECEIVED, ANY_REQUEST],
  [R.ServerUnavailable, 'Server unavailable', 0, CONNACK],
  [R.ServerBusy, 'Server busy', 0, CONNECTION],
  [R.Banned, 'Banned', 0, CONNACK],
  [R.ServerShuttingDown, 'Server shutting down', 0, DISCONNECT],
  [R.BadAuthenticationMethod, 'Bad authentication method', 0, CONNECTION],
  [R.KeepAliveTimeout, 'Keep Alive timeout', 0, DISCONNECT],
  [R.SessionTakenOver, 'Session taken over', 0, DISCONNECT],
  [R.TopicFilterInvalid, 'Topic Filter invalid', 0, SUBACK | UNSUBACK | DISCONNECT],
  [
    R.TopicNameInvalid,
    'Topic Name invalid',
    RECEIVED | DISCONNECT,
    CONNACK | RECEIVED | DISCONNECT,
  ],
  [R.PacketIdentifierInUse, 'Packet Identifier in use', RECEIVED, RECEIVED | SUBACK | UNSUBACK],
  [R.PacketIdentifierNotFound, 'Packet Identifier not found', COMPLETING, COMPLETING],
  [R.ReceiveMaximumExceeded, 'Receive Maximum exceeded', DISCONNECT, DISCONNECT],
  [R.TopicAliasInvalid, 'Topic Alias invalid', DISCONNECT, DISCONNECT],
  [R.PacketTooLarge, 'Packet too large', DISCONNECT, CONNECTION],
  [R.MessageRateTooHigh, 'Message rate too high', DISCONNECT, DISCONNECT],
  [
    R.QuotaExceeded,
    'Quota exceeded',
    RECEIVED | DISCONNECT,
    CONNACK | RECEIVED | SUBACK | DISCONNECT,
  ],
  [R.AdministrativeAction, 'Administrative action', DISCONNECT, DISCONNECT],
  [
    R.PayloadFormatInvalid,
    'Payload format invalid',
    RECEIVED | DISCONNECT,
    CONNACK | RECEIVED | DISCONNECT,
  ],
  [R.RetainNotSupported, 'Retain not supported', 0, CONNECTION],
  [R.QoSNotSupported, 'QoS not supported', 0, CONNECTION],
  [R.UseAnotherServer, 'Use another server', 0, CONNECTION],
  [R.ServerMoved, 'Server moved', 0, CONNECTION],
  [R.SharedSubscriptionsNotSupported, 'Shared Subscriptions not supported', 0, SUBACK | DISCONNECT],
  [R.ConnectionRateExceeded, 'Connection rate exceeded', 0, CONNECTION],
  [R.MaximumConnectTime, 'Maximum connect time', 0, DISCONNECT],
  [
    R.SubscriptionIdentifiersNotSupported,
    'Subscription Identifiers not supported',
    0,
    SUBACK | DISCONNECT,
  ],
  [
    R.WildcardSubscriptionsNotSupported,
    'Wildcard Subscriptions not supported',
    0,
    SUBACK | DISCONNECT,
  ],
];

const DEFINITIONS: (ReasonCodeDefinition | undefined)[] = Array.from({ length: 256 });
for (const [code, name, byClient, byServer] of TABLE) {
  DEFINITIONS[code] = { name, byClient, byServer };
}

/** 0x00 has a name of its own in these packets. */
const NAMES_OF_ZERO: ReadonlyMap<number, string> = new Map([
  [P.SUBACK, 'Granted QoS 0'],
  [P.DISCONNECT, 'Normal disconnection'],
]);

/** The specification's name, for logs. */
export function reasonCodeName(code: number, packetType?: PacketType): string {
  const special = code === 0 && packetType !== undefined && NAMES_OF_ZERO.get(packetType);
  return special || (DEFINITIONS[code]?.name ?? `0x${code.toString(16).padStart(2, '0')}`);
}

/** Whether 5.0 lets this sender use the code in packets of this type (5.0, section 2.4). */
export function isAllowedIn(
  code: number,
  packetType: PacketType,
  from: Sender,
): code is ReasonCode {
  const definition = DEFINITIONS[code];
  if (definition === undefined) return false;
  const packets = from === 'client' ? definition.byClient : definition.byServer;
  return (packets & (1 << packetType)) !== 0;
}

const STATEMENTS: ReadonlyMap<number, string> = new Map([
  [P.CONNACK, 'MQTT-3.2.2-8'],
  [P.PUBACK, 'MQTT-3.4.2-1'],
  [P.PUBREC, 'MQTT-3.5.2-1'],
  [P.PUBREL, 'MQTT-3.6.2-1'],
  [P.PUBCOMP, 'MQTT-3.7.2-1'],
  [P.SUBACK, 'MQTT-3.9.3-2'],
  [P.UNSUBACK, 'MQTT-3.11.3-2'],
  [P.DISCONNECT, 'MQTT-3.14.2-1'],
  [P.AUTH, 'MQTT-3.15.2-1'],
]);

/** The statement that lists the Reason Codes of a packet type. */
export function reasonCodeStatement(packetType: PacketType): string {
  return STATEMENTS.get(packetType) ?? '';
}

/** Whether the code is a refusal (5.0, section 2.4). */
export function isFailure(code: number): boolean {
  return code >= 0x80;
}
