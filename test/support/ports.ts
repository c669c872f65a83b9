import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const ATTEMPTS_MAX = 3_600;
const ATTEMPT_EVERY_MS = 25;

export { freePort } from '../../firmware-sim/broker/free-port.js';

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
