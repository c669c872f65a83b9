import { isUtf8 } from '../base/utf8.js';

/** Bounds of Topic Names and Topic Filters alike. */
export interface TopicLimits {
  readonly topicLevelsMax: number;
  readonly topicBytesMax: number;
}

const NUL = 0x00;
const NUMBER_SIGN = 0x23;
const PLUS = 0x2b;
const SLASH = 0x2f;

/**
 * Whether text is a Topic Name: one or more characters, no wildcards, within limits (section 4.7).
 */
export function isTopicName(topicName: string, limits: TopicLimits): boolean {
  // [MQTT-4.7.3-1] [MQTT-4.7.3-2] [MQTT-4.7.3-3]
  if (!isTopicText(topicName, limits)) return false;
  return !topicName.includes('#') && !topicName.includes('+'); // [MQTT-4.7.0-1]
}

/** The same for a Topic Name as bytes. */
export function isTopicNameBytes(
  bytes: Uint8Array,
  start: number,
  end: number,
  limits: TopicLimits,
): boolean {
  if (end === start || end - start > limits.topicBytesMax) return false;
  let levels = 1;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === NUMBER_SIGN || byte === PLUS) return false; // [MQTT-4.7.0-1]
    if (byte === SLASH) levels++;
  }
  return levels <= limits.topicLevelsMax && isUtf8(bytes, start, end);
}

/**
 * What Topic Names and Topic Filters have in common: length, levels, no U+0000, no lone surrogate.
 */
export function isTopicText(text: string, limits: TopicLimits): boolean {
  // A character is at least one byte, so this bounds the loop below.
  if (text.length === 0 || text.length > limits.topicBytesMax) return false;
  let levels = 1;
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === SLASH) levels++;
    else if (unit === NUL) return false;
    else if (unit >= 0x800) {
      bytes += 2;
      if (isSurrogate(unit)) {
        if (!isPair(unit, text.charCodeAt(at + 1))) return false;
        at++;
      }
    } else if (unit >= 0x80) bytes++;
  }
  return bytes <= limits.topicBytesMax && levels <= limits.topicLevelsMax;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** A pair is two units in text and four bytes in UTF-8. */
function isPair(first: number, second: number): boolean {
  return first <= 0xdbff && second >= 0xdc00 && second <= 0xdfff;
}

/** The levels of a Topic Name or Topic Filter; levels may be empty. */
export function topicLevels(topic: string): string[] {
  return topic.split('/');
}
