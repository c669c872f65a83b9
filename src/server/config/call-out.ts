import { count, httpUrl, seconds, secret } from './values.js';
import { type Entry, key, optional, required, section } from './vocabulary.js';

/** A server that is asked by POST. */
export interface CallOutConfig {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly timeoutSeconds: number;
  readonly atOnceMax: number;
  readonly cacheSeconds: number;
  readonly refusedCacheSeconds: number;
}

/** `about` says when it is asked. */
export function callOut(about: string): Entry<CallOutConfig> {
  return section<CallOutConfig>({
    url: required(httpUrl(), about),
    authorization: optional(
      secret('a header such as Bearer …'),
      'none',
      'The `Authorization` header that the broker sends along.',
    ),
    timeoutSeconds: key(
      seconds(1, 60),
      5,
      'Longest time to wait for the answer; where none comes, it is no.',
    ),
    atOnceMax: key(count(1, 1000), 32, 'Requests that are open at once; others wait.'),
    cacheSeconds: key(seconds(0, 86_400), 60, 'How long a yes is remembered.'),
    refusedCacheSeconds: key(seconds(0, 86_400), 5, 'How long a no is remembered.'),
  });
}
