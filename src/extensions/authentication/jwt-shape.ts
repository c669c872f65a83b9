/** The name of the method. */
export const JWT = 'jwt';
export const TOKEN_BYTES_MAX = 16_384;

/** Whether a text is meant as a token, be it a right one or not. Too long ones are too. */
export function looksLikeToken(text: string): boolean {
  if (!text.startsWith('ey')) return false;
  return text.length > TOKEN_BYTES_MAX || text.split('.').length === 3;
}
