import { createServer } from 'node:http';

/** Answers http-01 challenges (RFC 8555, section 8.3) while a certificate is being ordered. */
export interface ChallengeServer {
  answer(token: string, keyAuthorization: string): void;
  close(): Promise<void>;
}

const PREFIX = '/.well-known/acme-challenge/';

/** Rejects when the port cannot be had. */
export function startChallengeServer(host: string, port: number): Promise<ChallengeServer> {
  const answers = new Map<string, string>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const text = path.startsWith(PREFIX) ? answers.get(path.slice(PREFIX.length)) : undefined;
    response.writeHead(text === undefined ? 404 : 200, { 'content-type': 'text/plain' });
    response.end(text);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      resolve({
        answer: (token, keyAuthorization) => void answers.set(token, keyAuthorization),
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            server.closeAllConnections();
          }),
      });
    });
  });
}
