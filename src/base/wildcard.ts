/**
 * Whether a text fits a pattern: `*` stands for any characters, `?` for one. Takes at most the
 * product of their lengths, whatever they are: a regular expression could take for ever.
 */
export function fitsPattern(pattern: string, text: string): boolean {
  let at = 0;
  let next = 0;
  let star = -1;
  let retryAt = 0;
  while (at < text.length) {
    if (pattern[next] === '*') {
      star = next++;
      retryAt = at;
    } else if (pattern[next] === '?') {
      at += text.codePointAt(at)! > 0xffff ? 2 : 1;
      next++;
    } else if (next < pattern.length && pattern[next] === text[at]) {
      at++;
      next++;
    } else if (star < 0) return false;
    else {
      // The last star takes one character more; what it took before need not be tried again.
      next = star + 1;
      at = ++retryAt;
    }
  }
  while (pattern[next] === '*') next++;
  return next === pattern.length;
}
