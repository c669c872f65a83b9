import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { CortexMachine } from './toolchain.js';
import { cortexRamBytes } from './toolchain.js';

/** What the device printed about itself, in order. */
export interface ConsoleLine {
  readonly text: string;
  /** The number at the end of the line; NaN where there is none. */
  readonly value: number;
}

const RAM_START = 0x2000_0000;
/** The last bytes of RAM hold the number; see `lm3s.ld`. */
const NUMBER_FROM_END = 16;

/** A microcontroller in an emulator, its UART plugged into a TCP port of this machine. */
export class EmulatedDevice {
  readonly number: number;
  readonly lines: ConsoleLine[] = [];
  readonly ended: Promise<void>;
  readonly #process: ChildProcess;
  #heard: () => void = () => {};

  private constructor(number: number, command: string, parameters: readonly string[]) {
    this.number = number;
    this.#process = spawn(command, parameters, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.ended = new Promise((resolve, reject) => {
      this.#process.once('error', reject);
      this.#process.once('close', () => resolve());
    });
    createInterface({ input: this.#process.stdout! }).on('line', (text) => {
      this.lines.push({ text, value: Number(/\d+$/.exec(text)?.[0] ?? Number.NaN) });
      this.#heard();
    });
  }

  /** An ATmega328P under simavr, with its UART at a true `baud` in both directions. */
  static avr(options: {
    readonly number: number;
    readonly port: number;
    readonly runner: string;
    readonly image: string;
    readonly baud: number;
    /** Ends by itself after this much device time. */
    readonly seconds: number;
  }): EmulatedDevice {
    const { number, port, runner, image, baud, seconds } = options;
    return new EmulatedDevice(number, runner, [image, port, number, seconds, baud, 1].map(String));
  }

  /** A Cortex-M3 under QEMU. Its UART is infinitely fast: what is plugged in must set the pace. */
  static cortex(options: {
    readonly number: number;
    readonly port: number;
    readonly image: string;
    readonly machine: CortexMachine;
  }): EmulatedDevice {
    const { number, port, image, machine } = options;
    const numberAt = RAM_START + cortexRamBytes[machine] - NUMBER_FROM_END;
    return new EmulatedDevice(number, 'qemu-system-arm', [
      ...['-M', machine, '-display', 'none', '-monitor', 'none', '-kernel', image],
      ...['-chardev', `socket,id=link,host=127.0.0.1,port=${port},reconnect=1`],
      ...['-serial', 'chardev:link', '-serial', 'stdio'],
      ...['-device', `loader,addr=0x${numberAt.toString(16)},data=${number},data-len=4`],
    ]);
  }

  count(start: string): number {
    return this.lines.filter(({ text }) => text.startsWith(start)).length;
  }

  /** The value of the newest line that begins so; NaN when there is none. */
  latest(start: string): number {
    return this.lines.findLast(({ text }) => text.startsWith(start))?.value ?? Number.NaN;
  }

  /** Waits until it holds; it is asked again at every line the device prints. */
  async until(holds: (device: this) => boolean, what: string, waitMs = 40_000): Promise<void> {
    const deadline = performance.now() + waitMs;
    while (!holds(this)) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) {
        const said = this.lines.slice(-12).map(({ text }) => text);
        throw new Error(`device ${this.number}: no ${what}; it said ${said.join(', ')}`);
      }
      await this.#line(leftMs);
    }
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    await this.ended;
  }

  #line(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#heard = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
