import { type ChildProcess, spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Clock, Timer } from '../base/clock.js';
import { atMost, type Criterion } from './criterion.js';

/** A program of its own, without a file: it sends back what it gets, and ends with its parent. */
const ECHO = `
const server = require('node:net').createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.on('data', (bytes) => socket.write(bytes));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().once('end', () => process.exit());
`;
const HOST = '127.0.0.1';
const PROBE_EVERY_MS = 20;
/** A busy machine keeps a busy broker waiting longer than an echo with nothing else to do. */
const ECHOES_ALLOWED = 4;
const VIRTUAL_ECHO_MS = 5;
/** What happened shortly before still shows. */
const LOOKS_BACK_MS = 1_000;
const PROBES_KEPT = 20_000;
/** Nobody would call it a stall below that; a blocked second is well above. */
export const HELD_UP_MS_MAX = 500;

/** What of a time the machine has not cost. */
export interface Measure {
  beyondMs(fromMs: number, toMs: number): number;
  /** The slowest echo that was under way in that time; 0 without any. */
  slowestMs(fromMs: number, toMs: number): number;
  stop(): void;
}

interface Probe {
  /** When it was to be sent: a process that is late itself sees that as well. */
  readonly dueMs: number;
  /** Undefined while it is under way. */
  tookMs: number | undefined;
}

/**
 * How fast this machine is at the moment: a program that only sends back what it gets is asked all
 * the time. What takes much longer than its answers was held up by the broker, and by nothing else.
 */
export class Yardstick implements Measure {
  readonly #clock: Clock;
  readonly #child: ChildProcess;
  readonly #socket: Socket;
  readonly #probes: Probe[] = [];
  #answered = 0;
  #timer: Timer | undefined;
  #nextDueMs = 0;

  private constructor(clock: Clock, child: ChildProcess, socket: Socket) {
    this.#clock = clock;
    this.#child = child;
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      for (let i = 0; i < bytes.length; i++) this.#answer();
    });
    this.#probe(clock.nowMs());
  }

  static async start(clock: Clock): Promise<Yardstick> {
    const words = ['--eval', ECHO];
    const child = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'ignore'] });
    const port = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => reject(new Error('the echo did not start')));
      createInterface(child.stdout!).once('line', (line) => resolve(Number(line)));
    });
    const socket = connect({ host: HOST, port, noDelay: true });
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
    return new Yardstick(clock, child, socket);
  }

  /**
   * What remains of a time when all is taken off that the machine itself may have cost: several
   * times the slowest echo of that time. 0 where nothing remains.
   */
  beyondMs(fromMs: number, toMs: number): number {
    const excessMs = toMs - fromMs - ECHOES_ALLOWED * this.slowestMs(fromMs - LOOKS_BACK_MS, toMs);
    return Math.max(0, excessMs);
  }

  slowestMs(fromMs: number, toMs: number): number {
    const nowMs = this.#clock.nowMs();
    // A probe that should have gone out already is under way as well.
    let slowest = this.#nextDueMs <= toMs ? Math.max(0, nowMs - this.#nextDueMs) : 0;
    for (let i = this.#probes.length - 1; i >= 0; i--) {
      const { dueMs, tookMs = nowMs - dueMs } = this.#probes[i]!;
      // They are answered in order: all before this one were answered earlier.
      if (dueMs + tookMs < fromMs) break;
      if (dueMs <= toMs) slowest = Math.max(slowest, tookMs);
    }
    return slowest;
  }

  stop(): void {
    this.#timer?.cancel();
    this.#socket.destroy();
    this.#child.stdin?.end();
    this.#child.kill();
  }

  #probe(dueMs: number): void {
    this.#probes.push({ dueMs, tookMs: undefined });
    if (this.#probes.length > PROBES_KEPT) {
      this.#probes.splice(0, PROBES_KEPT / 2);
      this.#answered = Math.max(0, this.#answered - PROBES_KEPT / 2);
    }
    this.#socket.write('.');
    this.#nextDueMs = this.#clock.nowMs() + PROBE_EVERY_MS;
    this.#timer = this.#clock.after(PROBE_EVERY_MS, () => this.#probe(this.#nextDueMs));
  }

  #answer(): void {
    const probe = this.#probes[this.#answered++];
    if (probe !== undefined) probe.tookMs = this.#clock.nowMs() - probe.dueMs;
  }
}

/** Where time is no machine's: every echo takes as long. */
export const virtualMeasure: Measure = {
  beyondMs: (fromMs, toMs) => Math.max(0, toMs - fromMs - ECHOES_ALLOWED * VIRTUAL_ECHO_MS),
  slowestMs: () => VIRTUAL_ECHO_MS,
  stop: () => {},
};

/** Holds on any machine, fast or slow, idle or busy: see `Yardstick`. */
export function heldUpAtMost(name: string, measuredMs: number): Criterion {
  return atMost(name, 'ms beyond an echo', HELD_UP_MS_MAX, measuredMs);
}

/** The longest time in which nothing of something came on, measured as `Yardstick` does. */
export class Silence {
  longestMs = 0;
  readonly #yardstick: Measure;
  #sinceMs: number;

  constructor(yardstick: Measure, nowMs: number) {
    this.#yardstick = yardstick;
    this.#sinceMs = nowMs;
  }

  broken(nowMs: number): void {
    this.longestMs = Math.max(this.longestMs, this.#yardstick.beyondMs(this.#sinceMs, nowMs));
    this.#sinceMs = nowMs;
  }
}
