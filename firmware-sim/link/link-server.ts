import { createServer } from 'node:net';
import type { Clock } from '../base/clock.js';
import { seededRandom } from '../base/random.js';
import type { LineEvents } from './line.js';
import { Link, type Trace } from './link.js';
import type { LinkProfile } from './profile.js';
import { lineOn, type TcpTarget, tcpDial } from './tcp.js';

export interface LinkServerOptions {
  readonly clock: Clock;
  readonly seed: number;
  readonly profile: LinkProfile;
  /** Where the broker is. */
  readonly target: TcpTarget;
  readonly listenHost: string;
  /** 0 lets the system choose. */
  readonly listenPort: number;
  readonly trace?: Trace;
  /** After each connection, with what it carried. */
  readonly closed?: (link: Link, ms: number) => void;
}

export interface LinkServer {
  readonly port: number;
  /** Links of the connections that are open. */
  readonly links: ReadonlySet<Link>;
  close(): void;
}

/** A link in front of a broker for devices that are programs of their own, or real. */
export function startLinkServer(options: LinkServerOptions): Promise<LinkServer> {
  const { clock, seed, profile, target, trace } = options;
  const links = new Set<Link>();
  let count = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    const random = seededRandom(seed, `connection ${count++}`);
    const dial = tcpDial(target);
    const link = new Link({ clock, random, profile, dial, ...(trace !== undefined && { trace }) });
    const startMs = clock.nowMs();
    links.add(link);
    const done = () => {
      if (links.delete(link)) options.closed?.(link, clock.nowMs() - startMs);
    };
    // The device's kernel thinks it is connected already; what it sends waits for the link.
    socket.pause();
    const device: LineEvents = {
      opened: () => {},
      data: (bytes) => broker.write(bytes),
      closed: (reset) => {
        if (reset) broker.reset();
        else broker.end();
        done();
      },
    };
    const line = lineOn(socket, device);
    const broker = link.dial({
      opened: () => line.resume(),
      data: (bytes) => line.write(bytes),
      closed: (reset) => {
        if (reset) line.reset();
        else line.end();
        done();
      },
    });
    socket.pause();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: options.listenPort, host: options.listenHost }, () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address !== null ? address.port : 0,
        links,
        close() {
          for (const link of [...links]) link.close();
          server.close();
        },
      });
    });
  });
}
