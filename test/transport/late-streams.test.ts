import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Peer } from '../../src/session/network-connection.js';
import { LateStreams } from '../../src/transport/late-streams.js';
import type { Accept } from '../../src/transport/listener.js';
import type { StreamServer } from '../../src/transport/tcp-listener.js';

const peer: Peer = { address: '127.0.0.1:1', host: '127.0.0.1', listener: 'ws://test' };
const accept: Accept = () => {
  throw new Error('nobody is let in here');
};

class Recorder implements StreamServer {
  readonly isEarly = true;
  readonly told: string[] = [];

  start(): void {
    this.told.push('start');
  }

  serve(): void {
    this.told.push('serve');
  }

  stop(): void {
    this.told.push('stop');
  }
}

let server: Server | undefined;

afterEach(() => {
  server?.close();
  server = undefined;
});

test('nothing is loaded before the first stream, and then once', async () => {
  const recorder = new Recorder();
  let loads = 0;
  const streams = new LateStreams(async () => {
    loads++;
    return recorder;
  }, failOnFault);
  streams.start(accept);
  expect(loads).toBe(0);
  const [one, other] = [await newSocket(), await newSocket()];
  streams.serve(one, peer);
  streams.serve(other, peer);
  await expect.poll(() => recorder.told).toEqual(['start', 'serve', 'serve']);
  streams.serve(one, peer);
  expect(recorder.told).toEqual(['start', 'serve', 'serve', 'serve']);
  expect(loads).toBe(1);
});

test('what is loaded behind the stop is stopped', async () => {
  const recorder = new Recorder();
  const streams = new LateStreams(async () => recorder, failOnFault);
  streams.serve(await newSocket(), peer);
  streams.stop();
  await expect.poll(() => recorder.told).toEqual(['stop', 'serve']);
});

test('a load that fails ends the stream, and the next one tries again', async () => {
  const recorder = new Recorder();
  const faults: string[] = [];
  let isBroken = true;
  const streams = new LateStreams(
    async () => {
      if (isBroken) throw new Error('too many open files');
      return recorder;
    },
    (sentence) => faults.push(sentence),
  );
  const first = await newSocket();
  streams.serve(first, peer);
  await expect.poll(() => first.destroyed).toBe(true);
  expect(faults).toEqual(['a connection could not be served: Error: too many open files']);
  isBroken = false;
  streams.serve(await newSocket(), peer);
  await expect.poll(() => recorder.told).toEqual(['serve']);
});

test('a stream that ends while its server is loaded is not served', async () => {
  const recorder = new Recorder();
  const streams = new LateStreams(async () => recorder, failOnFault);
  const ended = await newSocket();
  streams.serve(ended, peer);
  ended.destroy(new Error('reset'));
  streams.serve(await newSocket(), peer);
  await expect.poll(() => recorder.told).toEqual(['serve']);
});

function failOnFault(sentence: string): void {
  throw new Error(sentence);
}

/** Of a real connection, which ends with the test. */
async function newSocket(): Promise<Socket> {
  server ??= createServer((socket) => {
    socket.on('error', () => {});
    socket.resume();
  });
  const listening = server;
  if (!listening.listening)
    await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));
  const { port } = listening.address() as { port: number };
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => done(socket));
    socket.unref();
  });
}
