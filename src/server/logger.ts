import { Writable } from 'node:stream';
import pino, { type Logger as Pino } from 'pino';
import type { LogFields } from '../base/log.js';
import type { LogFormat, LogLevel } from './config.js';
import { FoldingLogger, type LevelledLogger } from './folding-logger.js';
import { LogOutput } from './log-output.js';
import { printable } from './printable.js';

/** Bytes of log that may wait for their reader. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;
/** A tenth of a second each. */
const END_ATTEMPTS = 5;

export interface LogOptions {
  readonly level: LogLevel;
  /** `auto` is `human` on a terminal and `json` anywhere else. */
  readonly format: LogFormat;
}

export function isHuman(format: LogFormat): boolean {
  return format === 'auto' ? process.stdout.isTTY === true : format === 'human';
}

/** Writes to standard output: lines of JSON with ISO time, or short text for people. */
export async function createLogger(options: LogOptions): Promise<LevelledLogger> {
  const settings = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  const output = standardOutput();
  const stream = isHuman(options.format) ? await pretty(output) : output;
  const log = new FoldingLogger(new PinoLogger(pino(settings, stream)), options.level);
  // Before the output writes its last lines.
  process.prependListener('exit', () => log.flush());
  return log;
}

function standardOutput(): LogOutput {
  const output = new LogOutput({
    fileDescriptor: 1,
    waitingBytesMax: WAITING_BYTES_MAX,
    endAttempts: END_ATTEMPTS,
  });
  process.on('exit', () => output.end());
  return output;
}

async function pretty(output: LogOutput): Promise<NodeJS.WritableStream> {
  const { PinoPretty } = await import('pino-pretty');
  const destination = new Writable({
    write: (chunk: Buffer, _, done) => {
      output.write(chunk.toString());
      done();
    },
  });
  return PinoPretty({
    destination,
    colorize: process.stdout.isTTY === true && !process.env['NO_COLOR'],
    translateTime: 'SYS:HH:MM:ss',
    // The sentence says it all; the fields are for programs.
    hideObject: true,
    // JSON has escapes for what clients call themselves, plain text does not.
    messageFormat: (line, key, _label, { colors }) => colors.cyan(printable(String(line[key]))),
  });
}

class PinoLogger implements LevelledLogger {
  readonly #pino: Pino;

  constructor(writer: Pino) {
    this.#pino = writer;
  }

  setLevel(level: LogLevel): void {
    this.#pino.level = level;
  }

  debug(fields: LogFields, sentence: string): void {
    this.#pino.debug(fields, sentence);
  }

  info(fields: LogFields, sentence: string): void {
    this.#pino.info(fields, sentence);
  }

  warn(fields: LogFields, sentence: string): void {
    this.#pino.warn(fields, sentence);
  }

  error(fields: LogFields, sentence: string): void {
    this.#pino.error(fields, sentence);
  }
}
