import { get } from 'node:http';

export const DEFAULT_HEALTH_URL = 'http://127.0.0.1:8080/readyz';
const ANSWER_MS_MAX = 3000;

/** Whether a running broker says that it is ready, and in which words. */
export function checkHealth(url: string): Promise<{ ready: boolean; sentence: string }> {
  return new Promise((resolve) => {
    const no = (sentence: string): void => resolve({ ready: false, sentence });
    if (!URL.canParse(url) || new URL(url).protocol !== 'http:') {
      no(`expected a URL such as ${DEFAULT_HEALTH_URL}, not "${url}"`);
      return;
    }
    const request = get(url, { timeout: ANSWER_MS_MAX }, (response) => {
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
