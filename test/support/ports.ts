import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const ATTEMPTS_MAX = 3_600;
const ATTEMPT_EVERY_MS = 25;

/** A port that was free a moment ago: for programs that cannot choose one themselves. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Connects as soon as something listens: for programs that do not say when they are ready. */
export async function connectWhenOpen(port: number): Promise<Socket> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const socket = await tryConnect(port);
    if (socket !== undefined) return socket;
    await delay(ATTEMPT_EVERY_MS);
  }
  throw new Error(`nothing listens on port ${port}`);
}

function tryConnect(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}
