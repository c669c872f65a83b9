import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { access, mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../base/random.js';
import type { TcpTarget } from '../link/tcp.js';
import { insideNamespace, ip, packetLinkObstacle } from './namespaces.js';
import { NatTable } from './nat-table.js';
import { PacketPath, type PathCounts, type PathOptions } from './packet-path.js';
import { startRelay } from './relay.js';

/** In namespaces of their own, so that nothing outside can have the same ones. */
const BROKER_ADDRESS = '10.77.0.1';
const DEVICE_ADDRESS = '10.77.0.2';
const PREFIX_BITS = 24;
const START_MS_MAX = 60_000;
const LOOK_EVERY_MS = 20;

export interface PacketLinkOptions {
  readonly up: PathOptions;
  readonly down: PathOptions;
  /** One generator for both directions. */
  readonly random: Random;
  readonly mtuBytes?: number;
  /** A connection without a packet for longer is forgotten on the way; see `NatTable`. */
  readonly natIdleMs?: number;
}

/**
 * Two network namespaces with nothing but a bad radio between them. TCP on both sides is the
 * kernel's own, so there are real time-outs, retransmissions, windows and resets, which no proxy
 * can make. Needs root; `packetLinkObstacle` says what else is missing.
 */
export interface PacketLink {
  /** Put these words before a command to run it on that side. */
  readonly brokerSide: readonly [string, ...string[]];
  readonly deviceSide: readonly [string, ...string[]];
  /** Where a broker on the broker's side listens. */
  readonly brokerAddress: string;
  readonly up: PathCounts;
  readonly down: PathCounts;
  /** From now on, or until it is told otherwise, all packets vanish. */
  blackHole(on: boolean): void;
  /**
   * A UNIX socket in this namespace whose connections begin on the given side, towards the broker's
   * port: for devices and observers inside this process.
   */
  doorTo(port: number, side: 'broker' | 'device'): Promise<string>;
  /** The other way out: what listens at `target` is reached at the broker's address and port. */
  exitTo(port: number, target: TcpTarget): Promise<void>;
  close(): Promise<void>;
}

/** Throws when the machine does not allow it. */
export async function openPacketLink(options: PacketLinkOptions): Promise<PacketLink> {
  const obstacle = await packetLinkObstacle();
  if (obstacle !== undefined) throw new Error(obstacle);
  const link = new Link(options);
  try {
    await link.open(options.mtuBytes ?? 1500);
  } catch (error) {
    await link.close();
    throw error;
  }
  return link;
}

let linksOpened = 0;

class Link implements PacketLink {
  readonly brokerAddress = BROKER_ADDRESS;
  readonly #name = `dl${process.pid.toString(36)}x${(linksOpened++).toString(36)}`;
  readonly #brokerNamespace = `${this.#name}b`;
  readonly #deviceNamespace = `${this.#name}d`;
  readonly #up: PacketPath;
  readonly #down: PacketPath;
  readonly #children: ChildProcess[] = [];
  readonly #sockets: Socket[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #servers: Server[] = [];
  readonly #nat: NatTable | undefined;
  #folder: string | undefined;
  #doors = 0;

  constructor({ up, down, random, natIdleMs }: PacketLinkOptions) {
    this.#nat = natIdleMs === undefined ? undefined : new NatTable(natIdleMs);
    this.#up = new PacketPath(up, random);
    this.#down = new PacketPath(down, random);
  }

  get brokerSide(): readonly [string, ...string[]] {
    return insideNamespace(this.#brokerNamespace);
  }

  get deviceSide(): readonly [string, ...string[]] {
    return insideNamespace(this.#deviceNamespace);
  }

  get up(): PathCounts {
    return this.#up.counts;
  }

  get down(): PathCounts {
    return this.#down.counts;
  }

  blackHole(on: boolean): void {
    this.#up.isBlackHole = on;
    this.#down.isBlackHole = on;
  }

  async open(mtuBytes: number): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'dunlin-packet-link-'));
    const broker = await this.#side(this.#brokerNamespace, BROKER_ADDRESS, mtuBytes);
    const device = await this.#side(this.#deviceNamespace, DEVICE_ADDRESS, mtuBytes);
    this.#join(device, broker, this.#up, 'up');
    this.#join(broker, device, this.#down, 'down');
  }

  async doorTo(port: number, side: 'broker' | 'device'): Promise<string> {
    const path = join(this.#folder!, `door-${this.#doors++}`);
    const [program, ...words] = side === 'broker' ? this.brokerSide : this.deviceSide;
    const target = `TCP4:${BROKER_ADDRESS}:${port},nodelay`;
    this.#spawn(program, [...words, 'socat', `UNIX-LISTEN:${path},fork`, target]);
    await until(() => exists(path), `no socket at ${path}`);
    return path;
  }

  async exitTo(port: number, target: TcpTarget): Promise<void> {
    const path = join(this.#folder!, `exit-${port}`);
    this.#servers.push(await startRelay({ path }, { ...target }));
    const [program, ...words] = this.brokerSide;
    const listen = `TCP4-LISTEN:${port},bind=${BROKER_ADDRESS},fork,reuseaddr,nodelay`;
    this.#spawn(program, [...words, 'socat', listen, `UNIX-CONNECT:${path}`]);
  }

  async close(): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.close();
    await Promise.all(this.#children.map(ended));
    await Promise.all(
      [this.#brokerNamespace, this.#deviceNamespace].map((name) =>
        ip('netns', 'del', name).catch(() => {}),
      ),
    );
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  /**
   * A namespace with one TUN device. socat opens the device here, where this process can reach its
   * packets by UDP, and keeps it when it is moved.
   */
  async #side(namespace: string, address: string, mtuBytes: number): Promise<Side> {
    await ip('netns', 'add', namespace);
    const socket = await boundSocket();
    this.#sockets.push(socket);
    const tunSocket = await boundSocket();
    const tunPort = tunSocket.address().port;
    await new Promise<void>((resolve) => {
      tunSocket.close(resolve);
    });
    const here = `UDP4-DATAGRAM:127.0.0.1:${socket.address().port},bind=127.0.0.1:${tunPort}`;
    this.#spawn('socat', [`TUN,tun-name=${namespace},tun-type=tun,iff-no-pi`, here]);
    await until(() => exists(`/sys/class/net/${namespace}`), `no device ${namespace}`);
    await ip('link', 'set', namespace, 'netns', namespace);
    const inside = (...words: string[]) => ip('-n', namespace, ...words);
    await inside('link', 'set', 'lo', 'up');
    await inside('link', 'set', namespace, 'mtu', String(mtuBytes), 'up');
    await inside('address', 'add', `${address}/${PREFIX_BITS}`, 'dev', namespace);
    return { socket, tunPort };
  }

  #join(from: Side, to: Side, path: PacketPath, way: 'up' | 'down'): void {
    from.socket.on('message', (packet) => {
      const nowMs = performance.now();
      if (this.#nat?.passes(packet, way, nowMs) === false) {
        path.counts.lost++;
        return;
      }
      for (const atMs of path.carry(packet, nowMs)) {
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          to.socket.send(packet, to.tunPort, '127.0.0.1');
        }, atMs - nowMs);
        this.#timers.add(timer);
      }
    });
  }

  #spawn(program: string, words: readonly string[]): void {
    // A group of its own: socat's children go with it.
    this.#children.push(spawn(program, words, { stdio: 'ignore', detached: true }));
  }
}

interface Side {
  readonly socket: Socket;
  readonly tunPort: number;
}

function boundSocket(): Promise<Socket> {
  const socket = createSocket('udp4');
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', () => resolve(socket));
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function until(holds: () => Promise<boolean>, otherwise: string): Promise<void> {
  const deadline = performance.now() + START_MS_MAX;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(otherwise);
    await delay(LOOK_EVERY_MS);
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
      resolve();
      return;
    }
    child.once('exit', () => resolve());
    process.kill(-child.pid, 'SIGKILL');
  });
}
