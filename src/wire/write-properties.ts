import type { ByteWriter } from './byte-writer.js';
import type { UserProperty } from './control-packet.js';
import {
  DataType,
  PROPERTIES,
  type PropertyDefinition,
  type PropertyOwner,
  type PropertyValues,
} from './property.js';

type Value = number | boolean | string | Uint8Array | UserProperty;

/** Writes a Property Length and, in order of identifier, every value that this packet may hold. */
export function writeProperties(
  writer: ByteWriter,
  owner: PropertyOwner,
  values: PropertyValues,
): void {
  writer.lengthPrefixed(() => writePropertyList(writer, owner, values));
}

/** The same without the length in front. */
export function writePropertyList(
  writer: ByteWriter,
  owner: PropertyOwner,
  values: PropertyValues,
): void {
  for (const definition of PROPERTIES) {
    if (!isPresent(definition, owner, values)) continue;
    const value = values[definition.field] as Value | readonly Value[];
    if (definition.repeatsIn === 0) writeProperty(writer, definition, value as Value);
    else for (const each of value as readonly Value[]) writeProperty(writer, definition, each);
  }
}

/** Whether `writeProperties` would write any property at all. */
export function hasProperties(owner: PropertyOwner, values: PropertyValues): boolean {
  return PROPERTIES.some((definition) => isPresent(definition, owner, values));
}

function isPresent(
  { owners, field, repeatsIn }: PropertyDefinition,
  owner: PropertyOwner,
  values: PropertyValues,
): boolean {
  const value = values[field];
  if (value === undefined || (owners & (1 << owner)) === 0) return false;
  return repeatsIn === 0 || (value as readonly Value[]).length > 0;
}

function writeProperty(writer: ByteWriter, definition: PropertyDefinition, value: Value): void {
  writer.byte(definition.identifier);
  switch (definition.dataType) {
    case DataType.Byte:
      writer.byte(Number(value));
      break;
    case DataType.TwoByteInteger:
      writer.twoByteInteger(value as number);
      break;
    case DataType.FourByteInteger:
      writer.fourByteInteger(value as number);
      break;
    case DataType.VariableByteInteger:
      writer.variableByteInteger(value as number);
      break;
    case DataType.BinaryData:
      writer.binaryData(value as Uint8Array);
      break;
    case DataType.Utf8String:
      writer.utf8String(value as string);
      break;
    case DataType.Utf8StringPair:
      writer.utf8StringPair(value as UserProperty);
      break;
  }
}
