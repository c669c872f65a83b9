import type { LogFields, Logger } from '../../src/base/log.js';

export interface LogLine extends LogFields {
  readonly level: string;
  readonly sentence: string;
}

/** Keeps what is logged, debug lines excepted. */
export function recordingLogger(lines: LogLine[]): Logger {
  const at =
    (level: string) =>
    (fields: LogFields, sentence: string): void => {
      lines.push({ ...fields, level, sentence });
    };
  return { debug() {}, info: at('info'), warn: at('warn'), error: at('error') };
}
