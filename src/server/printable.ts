/** Control characters of ASCII and ISO 8859-1, separators of lines, and what turns text around. */
const UNPRINTABLE = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/**
 * A sentence as a terminal may show it: what clients have chosen can neither begin a line of its
 * own in it nor tell the terminal anything.
 */
export function printable(sentence: string): string {
  return sentence.replaceAll(UNPRINTABLE, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
