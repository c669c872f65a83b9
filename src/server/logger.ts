import pino, { type Logger as Pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { LogFields, Logger } from '../base/log.js';
import type { LogFormat, LogLevel } from './config.js';

export interface LogOptions {
  readonly level: LogLevel;
  /** `auto` is `human` on a terminal and `json` anywhere else. */
  readonly format: LogFormat;
}

export function isHuman(format: LogFormat): boolean {
  return format === 'auto' ? process.stdout.isTTY === true : format === 'human';
}

/** Writes to standard output: lines of JSON with ISO time, or short text for people. */
export function createLogger(options: LogOptions): Logger {
  const settings = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // Synchronous, so that the last lines before an end are never lost.
  const output = pino.destination({ dest: 1, sync: true });
  // Whoever read the log is gone: that is no reason to end the broker.
  output.on('error', () => {});
  return new PinoLogger(pino(settings, isHuman(options.format) ? pretty(output) : output));
}

function pretty(destination: pino.DestinationStream): NodeJS.WritableStream {
  return PinoPretty({
    destination,
    colorize: process.stdout.isTTY === true && !process.env['NO_COLOR'],
    translateTime: 'SYS:HH:MM:ss',
    // The sentence says it all; the fields are for programs.
    hideObject: true,
  });
}

class PinoLogger implements Logger {
  readonly #pino: Pino;

  constructor(writer: Pino) {
    this.#pino = writer;
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
