import { connect, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { realClock } from '../../../firmware-sim/base/clock.js';
import { startLinkServer } from '../../../firmware-sim/link/link-server.js';
import { NO_LIMIT } from '../../../firmware-sim/link/profile.js';

/** An echo behind a link, and what the link says of the connection once it is over. */
async function echoBehindLink(bytesPerSecond: number) {
  const echo = createServer((socket) => socket.pipe(socket));
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  const address = echo.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  let closed: (payloadBytes: readonly number[]) => void = () => {};
  const carried = new Promise<readonly number[]>((resolve) => {
    closed = resolve;
  });
  const server = await startLinkServer({
    clock: realClock,
    seed: 1,
    profile: {
      ...NO_LIMIT,
      upBytesPerSecond: bytesPerSecond,
      downBytesPerSecond: bytesPerSecond,
      segmentBytes: 1,
      headerBytes: 0,
      latencyMs: 5,
    },
    target: { host: '127.0.0.1', port },
    listenHost: '127.0.0.1',
    listenPort: 0,
    closed: ({ usage }) => closed([usage.payloadBytesUp, usage.payloadBytesDown]),
  });
  onTestFinished(() => {
    server.close();
    echo.close();
  });
  return { port: server.port, carried };
}

test('a device of its own gets all bytes, at the pace of the link, and both ends', async () => {
  const { port, carried } = await echoBehindLink(2_000);
  const socket = connect(port, '127.0.0.1');
  const startedMs = performance.now();
  const sent = Buffer.from('0123456789'.repeat(20));
  const received: Buffer[] = [];
  socket.write(sent);
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      received.push(chunk);
      if (Buffer.concat(received).length === sent.length) resolve();
    });
  });
  socket.end();
  expect(Buffer.concat(received)).toEqual(sent);
  // A lower bound holds on any machine: 200 bytes cannot have crossed faster than in 100 ms.
  expect(performance.now() - startedMs).toBeGreaterThan(99);
  expect(await carried).toEqual([200, 200]);
});
