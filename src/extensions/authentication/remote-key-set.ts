import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';

/** The key set cannot be fetched at the moment: no token can be judged. */
export class KeysUnavailable extends Error {}

/** What a key set throws that is there and has no such key, or several. */
const ABOUT_THE_TOKEN: ReadonlySet<string> = new Set([
  errors.JWKSNoMatchingKey.code,
  errors.JWKSMultipleMatchingKeys.code,
  errors.JOSENotSupported.code,
]);

const KEY_SET_WAIT_MS = 5000;
/** An unknown key identifier asks for the key set again, but not more often than this. */
const KEY_SET_AGAIN_MS = 30_000;
const KEY_SET_MAX_AGE_MS = 600_000;
/** Of the whole answer, unpacked: hundreds of keys have a tenth of it. */
export const KEY_SET_BYTES_MAX = 1_048_576;

/** Told why a key set could not be fetched, at each attempt. */
export type KeySetFailed = (reason: string) => void;

/** Keys at a URL, or a sentence that says what is wrong with it. */
export function remoteKeySet(place: string, failed: KeySetFailed): JWTVerifyGetKey | string {
  if (!URL.canParse(place)) return `jwks: ${place} is no URL`;
  const url = new URL(place);
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !isHere) {
    return `jwks: ${place} must be https: on the way here anybody could put keys of his own into it`;
  }
  const keySet = createRemoteJWKSet(url, {
    timeoutDuration: KEY_SET_WAIT_MS,
    cooldownDuration: KEY_SET_AGAIN_MS,
    cacheMaxAge: KEY_SET_MAX_AGE_MS,
    [customFetch]: fetchBounded,
  });
  return async (header, token) => {
    try {
      return await keySet(header, token);
    } catch (error) {
      if (!(error instanceof errors.JOSEError) || !ABOUT_THE_TOKEN.has(error.code)) {
        failed(reasonOf(error as Error));
        throw new KeysUnavailable(place, { cause: error });
      }
      throw error;
    }
  };
}

/** The same as `fetch`, but of an answer that never ends no more than the limit is read. */
async function fetchBounded(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options);
  const { body, status, headers } = response;
  if (body === null) return response;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body as ReadableStream<Uint8Array> & AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > KEY_SET_BYTES_MAX) throw new TooLarge();
    parts.push(part);
  }
  return new Response(Buffer.concat(parts), { status, headers });
}

class TooLarge extends Error {
  constructor() {
    super(`the key set has more than ${KEY_SET_BYTES_MAX} bytes`);
  }
}

/** What `fetch` itself says is "fetch failed". */
function reasonOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}
