/** C0 and C1 controls, DEL, and halves of surrogate pairs. */
const REFUSED = /[\p{Cc}\p{Cs}]/u;

/**
 * A user name or password in the form that is compared; undefined when it may not be one. This is
 * not the whole of SASLprep (RFC 4013): control characters are refused and compatible characters
 * made one by NFKC, so that "é" typed on two keyboards is one password. Characters that SASLprep
 * would map to nothing, those it prohibits beside controls, unassigned ones and mixed directions
 * are left as they are. For printable ASCII, both are the identity.
 */
export function prepareText(text: string): string | undefined {
  if (REFUSED.test(text)) return undefined;
  const prepared = text.normalize('NFKC');
  return prepared === '' ? undefined : prepared;
}
