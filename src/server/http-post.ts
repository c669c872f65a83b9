import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';

const ANSWER_BYTES_MAX = 65_536;

export interface HttpPostOptions {
  readonly url: string;
  /** The header `Authorization`. */
  readonly authorization: string | undefined;
  /** For all of it: connecting, asking, and the whole answer. */
  readonly timeoutSeconds: number;
  /** Connections that are open at once, kept for the next requests. */
  readonly atOnceMax: number;
}

/** A server that is asked with JSON and answers with JSON. Redirections are not followed. */
export class HttpPost {
  readonly #options: HttpPostOptions;
  readonly #isSecure: boolean;
  readonly #agent: HttpAgent;

  constructor(options: HttpPostOptions) {
    this.#options = options;
    this.#isSecure = options.url.toLowerCase().startsWith('https:');
    const settings = { keepAlive: true, maxSockets: options.atOnceMax };
    this.#agent = this.#isSecure ? new HttpsAgent(settings) : new HttpAgent(settings);
  }

  /**
   * The JSON of an answer with status 200. Rejects with an `Error` whose message says what else
   * came, or that nothing did in time. `whenGone` gets what gives the request up.
   */
  post(question: object, whenGone?: (stop: () => void) => void): Promise<unknown> {
    const { url, authorization, timeoutSeconds } = this.#options;
    const body = Buffer.from(JSON.stringify(question));
    const signal = AbortSignal.timeout(timeoutSeconds * 1000);
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        reject(signal.aborted ? new Error(`no answer within ${timeoutSeconds} s`) : error);
      };
      const request = (this.#isSecure ? requestHttps : requestHttp)(
        url,
        {
          method: 'POST',
          agent: this.#agent,
          signal,
          headers: {
            'Content-Type': 'application/json',
            'Content-Length': body.length,
            Accept: 'application/json',
            ...(authorization !== undefined && { Authorization: authorization }),
          },
        },
        (response) => void answerOf(response).then(resolve, fail),
      );
      request.on('error', fail);
      whenGone?.(() => request.destroy(new Error('nobody waits for the answer any more')));
      request.end(body);
    });
  }

  /** Closes connections that are kept for later. */
  close(): void {
    this.#agent.destroy();
  }
}

async function answerOf(response: IncomingMessage): Promise<unknown> {
  const { statusCode } = response;
  if (statusCode !== 200) {
    response.resume();
    throw new Error(`the status of the answer is ${statusCode}, not 200`);
  }
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > ANSWER_BYTES_MAX) {
      throw new Error(`the answer has more than ${ANSWER_BYTES_MAX} bytes`);
    }
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown;
  } catch {
    throw new Error('the answer is not JSON');
  }
}
