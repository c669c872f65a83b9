import type { Connection } from '../session/connection.js';
import type { Limits } from '../session/limits.js';
import { isTopicName } from '../topic/topic-name.js';
import type { Connect } from '../wire/control-packet.js';
import { ProtocolViolation } from '../wire/protocol-violation.js';
import { ReasonCode } from '../wire/reason-code.js';

/** Why a CONNECT is not let in. */
export interface Refusal {
  readonly reasonCode: ReasonCode;
  readonly sentence: string;
  readonly serverReference?: string | undefined;
  readonly isRepeated?: boolean | undefined;
}

export function judgeVersion(connection: Connection, connect: Connect): Refusal | undefined {
  if (connection.policy.protocolVersions.includes(connect.protocolVersion)) return undefined;
  return {
    reasonCode: ReasonCode.UnsupportedProtocolVersion,
    sentence: `this listener does not accept protocol level ${connect.protocolVersion}`,
  };
}

export function judgeIdentifier(
  { limits: here }: Connection,
  connect: Connect,
  limits: Limits,
): Refusal | undefined {
  const { clientIdentifier, protocolVersion, cleanStart } = connect;
  const reasonCode = ReasonCode.ClientIdentifierNotValid;
  if (clientIdentifier === '') {
    if (here.clientIdentifierRequired) {
      return { reasonCode, sentence: 'this listener asks for a Client Identifier' };
    }
    if (protocolVersion === 3) {
      return { reasonCode, sentence: 'MQTT 3.1 needs a Client Identifier' };
    }
    if (protocolVersion === 4 && !cleanStart) {
      const sentence = 'an empty Client Identifier needs Clean Session 1';
      return { reasonCode, sentence }; // [MQTT-3.1.3-8]
    }
  }
  // At most three bytes a UTF-16 code unit: an upper bound is enough against abuse.
  if (clientIdentifier.length > limits.clientIdentifierBytesMax) {
    return { reasonCode, sentence: 'the Client Identifier is too long' };
  }
  const { clientIdentifierPrefixes: prefixes, assignedClientIdentifierPrefix: given } = here;
  const beginning = clientIdentifier === '' ? given : clientIdentifier;
  if (prefixes.length > 0 && !prefixes.some((prefix) => beginning.startsWith(prefix))) {
    const sentence = `Client Identifiers begin with ${prefixes.join(' or ')} here`;
    return { reasonCode, sentence };
  }
  return undefined;
}

export function judgeWill(
  connection: Connection,
  connect: Connect,
  bounds: Limits,
): Refusal | undefined {
  const { limits } = connection;
  const { will } = connect;
  if (will === undefined) return undefined;
  if (!isTopicName(will.topicName, bounds)) {
    const sentence = 'the Will Topic is not a Topic Name';
    if (connect.protocolVersion < 5) {
      throw new ProtocolViolation(ReasonCode.TopicNameInvalid, sentence, 'MQTT-3.1.4-1');
    }
    return { reasonCode: ReasonCode.TopicNameInvalid, sentence };
  }
  if (will.qos > limits.qosMax) {
    const sentence = `the Will QoS is above the Maximum QoS of ${limits.qosMax}`;
    return { reasonCode: ReasonCode.QoSNotSupported, sentence }; // [MQTT-3.2.2-12]
  }
  if (will.retain && !limits.retainAvailable) {
    const sentence = 'retained messages are switched off on this server';
    return { reasonCode: ReasonCode.RetainNotSupported, sentence }; // [MQTT-3.2.2-13]
  }
  return undefined;
}
