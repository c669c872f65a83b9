import type { ByteReader } from './byte-reader.js';
import type { UserProperty } from './control-packet.js';
import {
  DataType,
  type PropertyDefinition,
  PropertyIdentifier,
  type PropertyOwner,
  type PropertyValues,
  propertyDefinition,
  ValueRule,
  WILL,
} from './property.js';
import { checkPropertyLength, ProtocolViolation, protocolError } from './protocol-violation.js';
import { ReasonCode } from './reason-code.js';

type Value = number | boolean | string | Uint8Array | UserProperty;
type Fields = Record<string, Value | Value[] | undefined>;

/**
 * Reads a Property Length and the properties behind it (5.0, section 2.2.2).
 *
 *     Property Length   Variable Byte Integer
 *     { Identifier      Variable Byte Integer, always one byte
 *       Value           by data type }
 */
export function readProperties(reader: ByteReader, owner: PropertyOwner): PropertyValues {
  const length = reader.variableByteInteger('Property Length');
  const packetEnd = reader.end;
  const end = reader.at + length;
  if (end > packetEnd) reader.malformed('the Property Length reaches beyond the packet');
  checkPropertyLength(length);
  reader.end = end;
  const values = readPropertyList(reader, owner);
  reader.end = packetEnd;
  return values;
}

/** Reads properties up to the reader's end. */
export function readPropertyList(reader: ByteReader, owner: PropertyOwner): PropertyValues {
  const values: PropertyValues = {};
  while (!reader.atEnd) readProperty(reader, owner, values as Fields);
  return values;
}

function readProperty(reader: ByteReader, owner: PropertyOwner, values: Fields): void {
  const identifier = reader.byte('Property Identifier');
  const definition = propertyDefinition(identifier);
  if (definition === undefined) reader.malformed(`property ${identifier} does not exist`);
  if ((definition.owners & (1 << owner)) === 0) {
    const where = owner === WILL ? 'the Will Properties' : reader.packetName;
    reader.malformed(`the property ${definition.name} is not allowed in ${where}`);
  }
  const { field } = definition;
  const earlier = values[field];
  if (earlier !== undefined && (definition.repeatsIn & (1 << owner)) === 0) {
    protocolError(`${reader.packetName}: the property ${definition.name} stands more than once`);
  }
  const value = checkedValue(reader, definition);
  if (definition.repeatsIn === 0) values[field] = value;
  else if (earlier === undefined) values[field] = [value];
  else (earlier as Value[]).push(value);
}

function readValue(reader: ByteReader, { dataType, name }: PropertyDefinition): Value {
  switch (dataType) {
    case DataType.Byte:
      return reader.byte(name);
    case DataType.TwoByteInteger:
      return reader.twoByteInteger(name);
    case DataType.FourByteInteger:
      return reader.fourByteInteger(name);
    case DataType.VariableByteInteger:
      return reader.variableByteInteger(name);
    case DataType.BinaryData:
      return reader.binaryData(name);
    case DataType.Utf8String:
      return reader.utf8String(name);
    case DataType.Utf8StringPair:
      return [reader.utf8String(`${name} name`), reader.utf8String(`${name} value`)];
  }
}

function checkedValue(reader: ByteReader, definition: PropertyDefinition): Value {
  const value = readValue(reader, definition);
  switch (definition.rule) {
    case ValueRule.Any:
      return value;
    case ValueRule.ZeroOrOne:
      if ((value as number) > 1) refuseValue(definition, 'is neither 0 nor 1');
      return value;
    case ValueRule.Boolean:
      if ((value as number) > 1) refuseValue(definition, 'is neither 0 nor 1');
      return value === 1;
    case ValueRule.NotZero:
      if (value === 0) refuseValue(definition, 'is 0');
      return value;
    case ValueRule.NoWildcards:
      if (/[+#]/.test(value as string)) refuseValue(definition, HAS_WILDCARD);
      return value;
  }
}

export const HAS_WILDCARD = 'has a wildcard';

/** The statements that say so, where there is one. */
const VALUE_STATEMENTS: ReadonlyMap<number, string> = new Map([
  [PropertyIdentifier.TopicAlias, 'MQTT-3.3.2-8'],
  [PropertyIdentifier.ResponseTopic, 'MQTT-3.3.2-14'],
]);

/** Refuses a value that its data type could hold but the protocol does not allow. */
export function refuseValue(definition: PropertyDefinition, complaint: string): never {
  const statement = VALUE_STATEMENTS.get(definition.identifier) ?? '';
  const sentence = `The property ${definition.name} ${complaint}`;
  if (definition.identifier === PropertyIdentifier.TopicAlias) {
    throw new ProtocolViolation(ReasonCode.TopicAliasInvalid, sentence, statement);
  }
  protocolError(sentence, statement);
}
