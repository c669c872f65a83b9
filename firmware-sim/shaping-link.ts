import { connect, createServer, type Socket } from 'node:net';

export interface LinkOptions {
  readonly host: string;
  readonly port: number;
  /** Each way. A serial line at 9600 baud, 8N1, carries 960. */
  readonly bytesPerSecond: number;
  /** Largest part that is handed on at once; 1 gives every byte a TCP segment of its own. */
  readonly segmentBytes: number;
}

/**
 * A slow line in front of a broker: what goes in at once comes out at the line's pace, each way.
 */
export interface ShapingLink {
  readonly port: number;
  /** Bytes carried so far. */
  readonly bytesUp: number;
  readonly bytesDown: number;
  /** Breaks all connections now, whatever is under way: what waits in the line is gone. */
  cut(): void;
  close(): void;
}

const PUMP_EVERY_MS = 1;

export function startShapingLink(options: LinkOptions): Promise<ShapingLink> {
  const sockets = new Set<Socket>();
  let up = 0;
  let down = 0;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer({ noDelay: true }, (device) => {
    const broker = connect({ host: options.host, port: options.port, noDelay: true });
    for (const [from, to] of [[device, broker] as const, [broker, device] as const]) {
      sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
    pace(device, broker, options, (bytes) => {
      up += bytes;
    });
    pace(broker, device, options, (bytes) => {
      down += bytes;
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : 0,
        get bytesUp() {
          return up;
        },
        get bytesDown() {
          return down;
        },
        cut,
        close() {
          cut();
          server.close();
        },
      });
    });
  });
}

/**
 * Hands bytes on no faster than the line: timers come late, so it counts from the line's own clock.
 */
function pace(from: Socket, to: Socket, options: LinkOptions, carried: (bytes: number) => void) {
  const { bytesPerSecond, segmentBytes } = options;
  const waiting: Buffer[] = [];
  let freeAtMs = 0;
  let timer: NodeJS.Timeout | undefined;
  const pump = () => {
    timer = undefined;
    const now = performance.now();
    while (waiting.length > 0 && freeAtMs <= now) {
      const chunk = waiting.shift()!;
      const part = chunk.subarray(0, segmentBytes);
      if (part.length < chunk.length) waiting.unshift(chunk.subarray(part.length));
      freeAtMs += (part.length / bytesPerSecond) * 1000;
      carried(part.length);
      to.write(part);
    }
    if (waiting.length > 0) timer = setTimeout(pump, Math.max(PUMP_EVERY_MS, freeAtMs - now));
  };
  from.on('data', (chunk) => {
    // The first byte has to cross the line too before it comes out.
    if (waiting.length === 0) {
      const crossingMs = (Math.min(chunk.length, segmentBytes) / bytesPerSecond) * 1000;
      freeAtMs = Math.max(freeAtMs, performance.now() + crossingMs);
    }
    waiting.push(chunk);
    timer ??= setTimeout(pump, Math.max(0, freeAtMs - performance.now()));
  });
  from.on('close', () => clearTimeout(timer));
}
