import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const sources = fileURLToPath(new URL('firmware', import.meta.url));

/** What is set when the firmware is compiled; what is left out keeps the default in `device.c`. */
export interface FirmwareOptions {
  /** Largest packet body that the device keeps; longer ones are drained and counted. */
  readonly receiveBytesMax?: number;
  readonly keepAliveSeconds?: number;
  readonly periodMs?: number;
  readonly pubackWaitMs?: number;
  /** False imitates the libraries that never acknowledge an oversize message. */
  readonly acknowledgesOversize?: boolean;
}

export type CortexMachine = 'lm3s6965evb' | 'lm3s811evb';
export const cortexRamBytes: Readonly<Record<CortexMachine, number>> = {
  lm3s6965evb: 65_536,
  lm3s811evb: 8192,
};

/** Compiles device and runner into a temporary folder of its own. */
export class Toolchain {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async open(): Promise<Toolchain> {
    return new Toolchain(await mkdtemp(join(tmpdir(), 'dunlin-firmware-')));
  }

  /** The ATmega328P image: 32 KB of flash, 2 KB of RAM. */
  async avrImage(options: FirmwareOptions = {}): Promise<string> {
    const image = join(this.folder, 'avr.elf');
    const target = ['-mmcu=atmega328p', '-DF_CPU=16000000UL', '-Os', '-Wall', '-Wextra', '-Werror'];
    const files = ['device.c', 'board-avr.c'];
    await compile('avr-gcc', [...target, ...defines(options), ...files, '-o', image]);
    return image;
  }

  async cortexImage(machine: CortexMachine, options: FirmwareOptions = {}): Promise<string> {
    const image = join(this.folder, `${machine}.elf`);
    const target = ['-mcpu=cortex-m3', '-mthumb', '-Os', '-Wall', '-Wextra', '-Werror'];
    const bare = ['-ffreestanding', '-nostdlib', '-fno-tree-loop-distribute-patterns'];
    const layout = [`-Wl,--defsym=RAM_SIZE=${cortexRamBytes[machine]}`, '-T', 'lm3s.ld'];
    const files = ['device.c', 'board-lm3s.c', '-lgcc', '-o', image];
    const flags = [...target, ...bare, ...layout, ...defines(options), ...files];
    await compile('arm-none-eabi-gcc', flags);
    return image;
  }

  /** The host program that runs an AVR image. */
  async avrRunner(): Promise<string> {
    const program = join(this.folder, 'avr-runner');
    const libraries = ['-lsimavr', '-lelf', '-lm'];
    await compile('gcc', ['-O2', '-Wall', '-Wextra', 'avr-runner.c', '-o', program, ...libraries]);
    return program;
  }

  close(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

const PACKAGES: Readonly<Record<string, string>> = {
  gcc: 'gcc, libc6-dev, libsimavr-dev and libelf-dev',
  'avr-gcc': 'gcc-avr and avr-libc',
  'arm-none-eabi-gcc': 'gcc-arm-none-eabi',
};

async function compile(compiler: string, flags: readonly string[]): Promise<void> {
  try {
    await run(compiler, flags, { cwd: sources });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(`${compiler} is missing: on Debian, install ${PACKAGES[compiler]}`);
  }
}

function defines(options: FirmwareOptions): string[] {
  const values = {
    RECEIVE_BYTES_MAX: options.receiveBytesMax,
    KEEP_ALIVE_SECONDS: options.keepAliveSeconds,
    PERIOD_MS: options.periodMs,
    PUBACK_WAIT_MS: options.pubackWaitMs,
    ACKNOWLEDGE_OVERSIZE:
      options.acknowledgesOversize === undefined ? undefined : Number(options.acknowledgesOversize),
  };
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`-D${name}=${value}`],
  );
}
