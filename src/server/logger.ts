import pino, { type Logger as Pino } from 'pino';
import type { LogFields } from '../base/log.js';
import type { LogFormat, LogLevel } from './config.js';
import { FoldingLogger, type LevelledLogger } from './folding-logger.js';

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

/**
 * Written beside the event loop: a reader of the log that is slow or stands still must not hold up
 * the clients. Beyond the bound lines are lost; what waits at the end is written then.
 */
function standardOutput(): pino.DestinationStream {
  let attemptsLeft = Number.POSITIVE_INFINITY;
  const retryEAGAIN = (): boolean => attemptsLeft-- > 0;
  const output = pino.destination({
    dest: 1,
    sync: false,
    maxLength: WAITING_BYTES_MAX,
    retryEAGAIN,
  });
  // Whoever read the log is gone: that is no reason to end the broker.
  output.on('error', () => {});
  process.on('exit', () => {
    attemptsLeft = END_ATTEMPTS;
    try {
      output.flushSync();
    } catch {
      // Nobody takes the last lines.
    }
  });
  return output;
}

async function pretty(destination: pino.DestinationStream): Promise<NodeJS.WritableStream> {
  const { PinoPretty } = await import('pino-pretty');
  return PinoPretty({
    destination,
    colorize: process.stdout.isTTY === true && !process.env['NO_COLOR'],
    translateTime: 'SYS:HH:MM:ss',
    // The sentence says it all; the fields are for programs.
    hideObject: true,
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
