import { createServer } from 'node:net';

/** Below what operating systems give to those who ask for any port, or connect from one. */
const LOWEST = 15_000;
const HIGHEST = 32_000;
const ATTEMPTS_MAX = 100;

/**
 * A port of this machine that was free a moment ago: for programs that have to be told which to
 * take. The system would give one that the next connection of anybody may begin from.
 */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    try {
      await tryPort(port, host);
      return port;
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

function tryPort(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, host, () => server.close(() => resolve()));
  });
}
