import type { LogFields, Logger } from '../base/log.js';
import type { LogLevel } from './config.js';

/** So many lines of one event and client in a window are written, the others are counted. */
const LINES_MAX = 10;
const WINDOW_MS = 60_000;
/** Beyond this many clients at once, what was counted is told and forgotten. */
const COUNTED_MAX = 1000;

type Level = 'info' | 'warn' | 'error';

interface Count {
  readonly level: Level;
  readonly event: string;
  readonly client: string | undefined;
  /** The host alone: clients come back from another port. */
  readonly host: string | undefined;
  lines: number;
}

/** A log whose level can be changed while it is written. */
export interface LevelledLogger extends Logger {
  setLevel(level: LogLevel): void;
}

/**
 * Folds what repeats, such as a client that connects again every second: after ten lines of the
 * same event about the same client in a minute, one line tells how many more there were. At level
 * `debug` everything is written.
 */
export class FoldingLogger implements LevelledLogger {
  readonly #log: LevelledLogger;
  readonly #counts = new Map<string, Count>();
  #window: NodeJS.Timeout | undefined = undefined;

  #foldsNothing: boolean;

  constructor(log: LevelledLogger, level: LogLevel) {
    this.#log = log;
    this.#foldsNothing = level === 'debug';
  }

  setLevel(level: LogLevel): void {
    this.#foldsNothing = level === 'debug';
    this.#log.setLevel(level);
  }

  debug(fields: LogFields, sentence: string): void {
    this.#log.debug(fields, sentence);
  }

  info(fields: LogFields, sentence: string): void {
    if (this.#isNew('info', fields)) this.#log.info(fields, sentence);
  }

  warn(fields: LogFields, sentence: string): void {
    if (this.#isNew('warn', fields)) this.#log.warn(fields, sentence);
  }

  error(fields: LogFields, sentence: string): void {
    if (this.#isNew('error', fields)) this.#log.error(fields, sentence);
  }

  /** Tells what was counted and not written. */
  flush(): void {
    clearTimeout(this.#window);
    this.#window = undefined;
    const counts = [...this.#counts.values()];
    this.#counts.clear();
    for (const count of counts) if (count.lines > LINES_MAX) this.#tell(count);
  }

  #isNew(level: Level, { event, client, address, reason }: LogFields): boolean {
    // What is about nobody repeats only where it is news.
    if (this.#foldsNothing || (client === undefined && address === undefined)) return true;
    const host = address?.replace(/:\d+$/, '');
    // Who is refused may say another name each time.
    const who = event === 'refused' ? (host ?? client) : (client ?? host);
    const key = `${level} ${event} ${who} ${reason ?? ''}`;
    const count = this.#counts.get(key);
    if (count !== undefined) return ++count.lines <= LINES_MAX;
    if (this.#counts.size >= COUNTED_MAX) this.flush();
    this.#counts.set(key, { level, event, client, host, lines: 1 });
    this.#window ??= setTimeout(() => this.flush(), WINDOW_MS).unref();
    return true;
  }

  #tell({ level, event, client, host, lines }: Count): void {
    const repeated = lines - LINES_MAX;
    const who = client === undefined || client === '' ? host : `client ${client}`;
    const sentence = `${repeated} more lines of ${event} about ${who} in the last minute`;
    this.#log[level]({ event, client, address: host, repeated }, sentence);
  }
}
