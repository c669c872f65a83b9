import { get as getPlain } from 'node:http';
import { get as getSecurely } from 'node:https';

export const DEFAULT_HEALTH_URL = 'http://127.0.0.1:8080/readyz';
const ANSWER_MS_MAX = 3000;

/** Whether a running broker says that it is ready, and in which words. */
export function checkHealth(url: string): Promise<{ ready: boolean; sentence: string }> {
  return new Promise((resolve) => {
    const no = (sentence: string): void => resolve({ ready: false, sentence });
    const { protocol } = URL.canParse(url) ? new URL(url) : { protocol: undefined };
    if (protocol !== 'http:' && protocol !== 'https:') {
      no(`expected a URL such as ${DEFAULT_HEALTH_URL}, not "${url}"`);
      return;
    }
    const get = protocol === 'http:' ? getPlain : getSecurely;
    // Nothing is told to the other end: whose certificate it is does not matter.
    const options = { timeout: ANSWER_MS_MAX, rejectUnauthorized: false };
    const request = get(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () =>
        resolve({ ready: response.statusCode === 200, sentence: text.trim() }),
      );
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', (error) => no(`${url} does not answer: ${error.message}`));
  });
}
