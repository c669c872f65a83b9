/** UTF-8 Encoded Strings (section 1.5.4; 1.5.3 in 3.1.1). */

/** Up to here the decoder costs more than a look at each byte. */
const SHORT_BYTES_MAX = 32;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Whether the bytes are well-formed UTF-8 without surrogates, overlong forms and U+0000.
 * [MQTT-1.5.4-1] [MQTT-1.5.4-2]
 */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const first = bytes[at++]!;
    if (first < 0x80) {
      if (first === 0) return false;
      continue;
    }
    const following = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    if (first < 0xc2 || first > 0xf4 || at + following > end) return false;
    const second = bytes[at]!;
    if (second < lowestSecond(first) || second > highestSecond(first)) return false;
    for (let i = 1; i < following; i++) {
      if ((bytes[at + i]! & 0xc0) !== 0x80) return false;
    }
    at += following;
  }
  return true;
}

/** Overlong forms begin with E0 80..9F and F0 80..8F. */
function lowestSecond(first: number): number {
  return first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
}

/** Surrogates begin with ED A0..BF; beyond U+10FFFF begins with F4 90. */
function highestSecond(first: number): number {
  return first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
}

/** The text of well-formed bytes; a leading U+FEFF is kept. [MQTT-1.5.4-3] */
export function utf8Text(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT_BYTES_MAX) return decoder.decode(bytes.subarray(start, end));
  for (let at = start; at < end; at++) {
    if (bytes[at]! >= 0x80) return decoder.decode(bytes.subarray(start, end));
  }
  // In one piece: a text that grows character by character is a chain of its beginnings.
  return String.fromCharCode.apply(null, bytes.subarray(start, end) as unknown as number[]);
}

const encoder = new TextEncoder();

export function utf8Bytes(text: string): Uint8Array {
  return encoder.encode(text);
}
