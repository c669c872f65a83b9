import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { HttpPost, type HttpPostOptions } from '../../src/server/http-post.js';

interface Seen {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A server that answers as told, and what it was asked. */
async function served(
  answer: (response: ServerResponse) => void,
  options: Partial<HttpPostOptions> = {},
): Promise<{ post: HttpPost; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => {
      body += String(part);
    });
    request.on('end', () => {
      seen.push({ headers: request.headers, body });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/ask`;
  const post = new HttpPost({
    url,
    authorization: undefined,
    timeoutSeconds: 60,
    atOnceMax: 2,
    ...options,
  });
  onTestFinished(() => {
    post.close();
    server.closeAllConnections();
    server.close();
  });
  return { post, seen };
}

test('asks with JSON and the header, and gives the JSON of the answer', async () => {
  const { post, seen } = await served((response) => response.end('{"allow":true}'), {
    authorization: 'Bearer abc',
  });
  expect(await post.post({ user: 'kitchen', ü: 1 })).toEqual({ allow: true });
  expect(JSON.parse(seen[0]!.body)).toEqual({ user: 'kitchen', ü: 1 });
  expect(seen[0]!.headers).toMatchObject({
    authorization: 'Bearer abc',
    'content-type': 'application/json',
  });
});

test('no more connections than may be', async () => {
  const waiting: ServerResponse[] = [];
  const { post } = await served((response) => void waiting.push(response));
  const answers = Array.from({ length: 5 }, () => post.post({}));
  let ended = 0;
  while (ended < 5) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(waiting.length).toBeLessThanOrEqual(2);
    for (const response of waiting.splice(0)) {
      response.end('7');
      ended++;
    }
  }
  expect(await Promise.all(answers)).toEqual([7, 7, 7, 7, 7]);
});

test.each([
  ['another status', (r: ServerResponse) => r.writeHead(500).end('{"allow":true}'), 'is 500'],
  [
    'a redirection',
    (r: ServerResponse) => r.writeHead(302, { location: 'http://127.0.0.1:1' }).end(),
    'is 302',
  ],
  ['no JSON', (r: ServerResponse) => r.end('yes'), 'not JSON'],
  ['much', (r: ServerResponse) => r.end(`"${'x'.repeat(70_000)}"`), 'more than 65536 bytes'],
  ['the end', (r: ServerResponse) => r.destroy(), 'hang up'],
  ['nothing', () => {}, 'no answer within 1 s'],
  ['half of it', (r: ServerResponse) => r.write('{"allow":'), 'no answer within 1 s'],
])('%s as the answer rejects', async (_, answer, sentence) => {
  const isLate = sentence.startsWith('no answer');
  const { post } = await served(answer, isLate ? { timeoutSeconds: 1 } : {});
  await expect(post.post({})).rejects.toThrow(sentence);
});

test('nobody there rejects', async () => {
  const { post } = await served(() => {}, { url: 'http://127.0.0.1:1/' });
  await expect(post.post({})).rejects.toThrow('ECONNREFUSED');
});

test('whoever does not wait any more frees the connection', async () => {
  const waiting: ServerResponse[] = [];
  let hasCome = (): void => {};
  const { post } = await served(
    (response) => {
      waiting.push(response);
      hasCome();
    },
    { atOnceMax: 1 },
  );
  let stop = (): void => {};
  const came = new Promise<void>((resolve) => {
    hasCome = resolve;
  });
  const first = post.post({ who: 1 }, (given) => {
    stop = given;
  });
  const second = post.post({ who: 2 });
  await came;
  const next = new Promise<void>((resolve) => {
    hasCome = resolve;
  });
  stop();
  await expect(first).rejects.toThrow('nobody waits');
  await next;
  waiting[1]!.end('7');
  expect(await second).toBe(7);
});
