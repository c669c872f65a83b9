import { copyBytes } from '../base/copy-bytes.js';
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
 * Writes properties that were checked before, in order, without those of two identifiers; returns
 * how many bytes they are. `target` has room for all.
 */
export function writePropertiesWithout(
  target: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
  left: number,
  out: number,
): number {
  let length = 0;
  let runStart = start;
  for (let at = start; at < end; ) {
    const next = propertyEnd(bytes, at, end);
    const identifier = bytes[at];
    if (identifier === left || identifier === out) {
      length = copyBytes(target, length, bytes, runStart, at);
      runStart = next;
    }
    at = next;
  }
  return copyBytes(target, length, bytes, runStart, end);
}

/** The same as an exact copy. */
export function copyPropertiesWithout(
  bytes: Uint8Array,
  start: number,
  end: number,
  left: number,
  out: number,
): Uint8Array {
  const copy = new Uint8Array(end - start);
  const length = writePropertiesWithout(copy, bytes, start, end, left, out);
  return length === copy.length ? copy : copy.slice(0, length);
}
