/**
 * The log as every floor sees it. One event is one line: a stable `event` name, fields, and a
 * sentence a person can act on. `server/logger.ts` writes it with pino.
 */
export interface Logger {
  debug(fields: LogFields, sentence: string): void;
  info(fields: LogFields, sentence: string): void;
  warn(fields: LogFields, sentence: string): void;
  error(fields: LogFields, sentence: string): void;
}

export interface LogFields {
  readonly event: string;
  readonly client?: string | undefined;
  readonly user?: string | undefined;
  readonly address?: string | undefined;
  readonly listener?: string | undefined;
  readonly reason?: string | undefined;
  readonly topic?: string | undefined;
  readonly [field: string]: string | number | boolean | undefined;
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
