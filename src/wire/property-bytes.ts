import { DataType, propertyDefinition } from './property.js';

/** What `propertyEnd` returns when no property ends within the bytes. */
export const BROKEN = -1;

/** The index behind the property that begins at `at`, or `BROKEN`; looks at lengths only. */
export function propertyEnd(bytes: Uint8Array, at: number, end: number): number {
  const definition = propertyDefinition(bytes[at]!);
  if (definition === undefined) return BROKEN;
  const value = at + 1;
  let valueEnd: number;
  switch (definition.dataType) {
    case DataType.Byte:
      valueEnd = value + 1;
      break;
    case DataType.TwoByteInteger:
      valueEnd = value + 2;
      break;
    case DataType.FourByteInteger:
      valueEnd = value + 4;
      break;
    case DataType.VariableByteInteger:
      return variableByteIntegerEnd(bytes, value, end);
    case DataType.BinaryData:
    case DataType.Utf8String:
      valueEnd = lengthPrefixedEnd(bytes, value, end);
      break;
    case DataType.Utf8StringPair:
      valueEnd = lengthPrefixedEnd(bytes, value, end);
      if (valueEnd !== BROKEN) valueEnd = lengthPrefixedEnd(bytes, valueEnd, end);
      break;
  }
  return valueEnd > end ? BROKEN : valueEnd;
}

function lengthPrefixedEnd(bytes: Uint8Array, at: number, end: number): number {
  if (at + 2 > end) return BROKEN;
  const valueEnd = at + 2 + ((bytes[at]! << 8) | bytes[at + 1]!);
  return valueEnd > end ? BROKEN : valueEnd;
}

function variableByteIntegerEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end && at < start + 4; at++) {
    const byte = bytes[at]!;
    if (byte < 0x80) return byte === 0 && at > start ? BROKEN : at + 1; // [MQTT-1.5.5-1]
  }
  return BROKEN;
}

/**
 * An exact copy of properties that were checked before, in order, without those of two identifiers.
 */
export function copyPropertiesWithout(
  bytes: Uint8Array,
  start: number,
  end: number,
  left: number,
  out: number,
): Uint8Array {
  const copy = new Uint8Array(end - start);
  let length = 0;
  for (let at = start; at < end; ) {
    const next = propertyEnd(bytes, at, end);
    const identifier = bytes[at];
    if (identifier !== left && identifier !== out) {
      copy.set(bytes.subarray(at, next), length);
      length += next - at;
    }
    at = next;
  }
  return copy.slice(0, length);
}
