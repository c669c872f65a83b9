import { connect, type Socket } from 'node:net';
import type { Dial, Line, LineEvents } from './line.js';

export interface TcpTarget {
  readonly host: string;
  readonly port: number;
  /** Another address of this machine, so that one run can look like many machines. */
  readonly localAddress?: string;
}

/** A plain connection without Nagle's algorithm, as embedded stacks are mostly set up. */
export function tcpDial(target: TcpTarget): Dial {
  return (events) => {
    const socket = connect({ ...target, noDelay: true });
    socket.once('connect', () => events.opened());
    return lineOn(socket, events);
  };
}

/** A line on a socket that exists already. */
export function lineOn(socket: Socket, events: LineEvents): Line {
  let failed = false;
  socket.on('data', (bytes: Buffer) => events.data(bytes));
  socket.on('error', () => {
    failed = true;
  });
  socket.once('close', () => events.closed(failed));
  return {
    get localPort() {
      return socket.localPort;
    },
    write: (bytes) => {
      if (socket.writable) socket.write(bytes);
    },
    end: () => {
      socket.end();
    },
    reset: () => {
      socket.resetAndDestroy();
    },
    pause: () => {
      socket.pause();
    },
    resume: () => {
      socket.resume();
    },
  };
}
