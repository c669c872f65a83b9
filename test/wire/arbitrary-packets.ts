import fc from 'fast-check';
import {
  type AcknowledgementType,
  type ControlPacket,
  PacketType,
  type ProtocolVersion,
  type Sender,
  type UserProperty,
} from '../../src/wire/control-packet.js';
import { encodeForwardedProperties } from '../../src/wire/forwarded-properties.js';
import { isAllowedIn, ReasonCode } from '../../src/wire/reason-code.js';

export interface Sent {
  readonly packet: ControlPacket;
  readonly version: ProtocolVersion;
  readonly from: Sender;
}

const version: fc.Arbitrary<ProtocolVersion> = fc.constantFrom<ProtocolVersion>(3, 4, 5);
const sender: fc.Arbitrary<Sender> = fc.constantFrom<Sender>('client', 'server');
const text = fc
  .oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 8 }))
  .map((value) => value.replaceAll('\0', ''));
const topic = text.map((value) => `t${value.replaceAll(/[+#]/g, '')}`);
const data = fc.uint8Array({ maxLength: 20 });
const identifier = fc.integer({ min: 1, max: 65_535 });
const twoBytes = fc.nat(65_535);
const fourBytes = fc.nat(0xffffffff);
const qos = fc.constantFrom<0 | 1 | 2>(0, 1, 2);
const bit = fc.constantFrom<0 | 1>(0, 1);
const userProperties: fc.Arbitrary<UserProperty[]> = fc.array(fc.tuple(text, text), {
  maxLength: 3,
});

function maybe<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(value, { nil: undefined });
}

/** An empty list is not on the wire, so it comes back as an absent one. */
const maybeUserProperties = userProperties.map((list) => (list.length === 0 ? undefined : list));
const reasons = { reasonString: maybe(text), userProperties: maybeUserProperties };

function codesFor(type: PacketType, from: Sender): fc.Arbitrary<ReasonCode> {
  const codes = Object.values(ReasonCode).filter((code) => isAllowedIn(code, type, from));
  return fc.constantFrom(...codes);
}

const forwarded = fc.record({
  payloadFormatIndicator: maybe(bit),
  contentType: maybe(text),
  responseTopic: maybe(topic),
  correlationData: maybe(data),
  userProperties: maybeUserProperties,
});

const will = fc
  .record({
    topicName: topic,
    payload: data,
    qos,
    retain: fc.boolean(),
    delayIntervalSeconds: fourBytes,
    messageExpiryIntervalSeconds: maybe(fourBytes),
    forwarded,
  })
  .map(({ forwarded: values, ...rest }) => ({
    ...rest,
    payloadFormatIndicator: values.payloadFormatIndicator ?? 0,
    forwardedProperties: encodeForwardedProperties(values),
  }));

const connect = fc
  .record({
    protocolVersion: version,
    cleanStart: fc.boolean(),
    keepAliveSeconds: twoBytes,
    clientIdentifier: text,
    will: maybe(will),
    userName: maybe(text),
    password: maybe(data),
    sessionExpiryIntervalSeconds: fourBytes,
    receiveMaximum: identifier,
    maximumPacketSizeBytes: maybe(fc.integer({ min: 1, max: 0xffffffff })),
    topicAliasMaximum: twoBytes,
    requestResponseInformation: fc.boolean(),
    requestProblemInformation: fc.boolean(),
    userProperties,
    authentication: maybe(fc.record({ method: text, data: maybe(data) })),
  })
  .map(({ authentication, ...rest }) => ({
    type: PacketType.CONNECT,
    ...rest,
    // [MQTT-3.1.2-22]
    password: rest.userName === undefined && rest.protocolVersion !== 5 ? undefined : rest.password,
    authenticationMethod: authentication?.method,
    authenticationData: authentication?.data,
  }));

const connack = fc
  .record({
    sessionPresent: fc.boolean(),
    reasonCode: codesFor(PacketType.CONNACK, 'server'),
    sessionExpiryIntervalSeconds: maybe(fourBytes),
    receiveMaximum: maybe(identifier),
    maximumQoS: maybe(bit),
    retainAvailable: maybe(fc.boolean()),
    maximumPacketSizeBytes: maybe(fc.integer({ min: 1, max: 0xffffffff })),
    assignedClientIdentifier: maybe(text),
    topicAliasMaximum: maybe(twoBytes),
    ...reasons,
    wildcardSubscriptionAvailable: maybe(fc.boolean()),
    subscriptionIdentifiersAvailable: maybe(fc.boolean()),
    sharedSubscriptionAvailable: maybe(fc.boolean()),
    serverKeepAliveSeconds: maybe(twoBytes),
    responseInformation: maybe(text),
    serverReference: maybe(text),
    authenticationMethod: maybe(text),
    authenticationData: maybe(data),
  })
  .map((values) => ({
    type: PacketType.CONNACK,
    ...values,
    sessionPresent: values.sessionPresent && values.reasonCode === 0,
  }));

const publish = fc
  .record({
    dup: fc.boolean(),
    qos,
    retain: fc.boolean(),
    topicName: topic,
    packetIdentifier: identifier,
    payload: fc.uint8Array({ maxLength: 300 }),
    messageExpiryIntervalSeconds: maybe(fourBytes),
    topicAlias: maybe(identifier),
    forwarded,
    from: sender,
    subscriptionIdentifiers: maybe(
      fc.array(fc.integer({ min: 1, max: 268_435_455 }), { minLength: 1, maxLength: 3 }),
    ),
  })
  .map(({ forwarded: values, from, ...rest }) => ({
    from,
    packet: {
      type: PacketType.PUBLISH,
      ...rest,
      ...values,
      dup: rest.dup && rest.qos > 0,
      packetIdentifier: rest.qos > 0 ? rest.packetIdentifier : 0,
      subscriptionIdentifiers: from === 'server' ? rest.subscriptionIdentifiers : undefined,
    },
  }));

const ACKNOWLEDGEMENTS: readonly AcknowledgementType[] = [
  PacketType.PUBACK,
  PacketType.PUBREC,
  PacketType.PUBREL,
  PacketType.PUBCOMP,
];
const acknowledgement = fc
  .tuple(fc.constantFrom(...ACKNOWLEDGEMENTS), sender)
  .chain(
    ([type, from]): fc.Arbitrary<Omit<Sent, 'version'>> =>
      fc
        .record({ packetIdentifier: identifier, reasonCode: codesFor(type, from), ...reasons })
        .map((values) => ({ from, packet: { type, ...values } })),
  );

const subscribe = fc
  .record({
    packetIdentifier: identifier,
    subscriptionIdentifier: maybe(fc.integer({ min: 1, max: 268_435_455 })),
    userProperties,
    entries: fc.array(
      fc.record({
        topicFilter: text,
        options: fc.record({
          qos,
          noLocal: fc.boolean(),
          retainAsPublished: fc.boolean(),
          retainHandling: qos,
        }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map((values) => ({ type: PacketType.SUBSCRIBE, ...values }));

const unsubscribe = fc
  .record({
    packetIdentifier: identifier,
    userProperties,
    topicFilters: fc.array(text, { minLength: 1, maxLength: 4 }),
  })
  .map((values) => ({ type: PacketType.UNSUBSCRIBE, ...values }));

const subscribeAcknowledgement = fc
  .constantFrom<typeof PacketType.SUBACK | typeof PacketType.UNSUBACK>(9, 11)
  .chain((type) =>
    fc
      .record({
        packetIdentifier: identifier,
        reasonCodes: fc.array(codesFor(type, 'server'), { minLength: 1, maxLength: 5 }),
        ...reasons,
      })
      .map((values) => ({ type, ...values })),
  );

const disconnect = sender.chain(
  (from): fc.Arbitrary<Omit<Sent, 'version'>> =>
    fc
      .record({
        reasonCode: codesFor(PacketType.DISCONNECT, from),
        ...reasons,
        sessionExpiryIntervalSeconds: from === 'client' ? maybe(fourBytes) : fc.constant(undefined),
        serverReference: from === 'server' ? maybe(text) : fc.constant(undefined),
      })
      .map((values) => ({ from, packet: { type: PacketType.DISCONNECT, ...values } })),
);

const auth = sender.chain(
  (from): fc.Arbitrary<Omit<Sent, 'version'>> =>
    fc
      .record({
        reasonCode: codesFor(PacketType.AUTH, from),
        authenticationMethod: text,
        authenticationData: maybe(data),
        ...reasons,
      })
      .map((values) => ({ from, packet: { type: PacketType.AUTH, ...values } })),
);

function byClient(packets: fc.Arbitrary<ControlPacket>): fc.Arbitrary<Omit<Sent, 'version'>> {
  return packets.map((packet) => ({ packet, from: 'client' }));
}

function byServer(packets: fc.Arbitrary<ControlPacket>): fc.Arbitrary<Omit<Sent, 'version'>> {
  return packets.map((packet) => ({ packet, from: 'server' }));
}

const any: fc.Arbitrary<Omit<Sent, 'version'>> = fc.oneof(
  { arbitrary: byClient(connect), weight: 3 },
  { arbitrary: byServer(connack), weight: 2 },
  { arbitrary: publish, weight: 3 },
  { arbitrary: acknowledgement, weight: 3 },
  byClient(subscribe),
  byClient(unsubscribe),
  { arbitrary: byServer(subscribeAcknowledgement), weight: 2 },
  byClient(fc.constant({ type: PacketType.PINGREQ })),
  byServer(fc.constant({ type: PacketType.PINGRESP })),
  disconnect,
  auth,
);

/** Every packet type as its lawful sender may send it in any version that has the type. */
export const anySent: fc.Arbitrary<Sent> = fc.tuple(any, version).map(([sent, chosen]) => {
  if (sent.packet.type === PacketType.CONNECT) {
    return { ...sent, version: sent.packet.protocolVersion };
  }
  return { ...sent, version: sent.packet.type === PacketType.AUTH ? 5 : chosen };
});
