import { write, writeSync } from 'node:fs';

const AGAIN_MS = 100;

export interface LogOutputOptions {
  readonly fileDescriptor: number;
  /** What may wait for a slow reader; beyond it lines are lost. */
  readonly waitingBytesMax: number;
  /** At the end: how often a reader that takes nothing is asked again. */
  readonly endAttempts: number;
}

/**
 * Writes the log beside the event loop: a reader that is slow or stands still must not hold up the
 * clients. One that is gone is no reason to end, nor for staying when the end has come.
 */
export class LogOutput {
  readonly #options: LogOutputOptions;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Of what was taken from there: what the system has not written. */
  #rest: Buffer | undefined = undefined;
  /** The system has it now. */
  #isUnderWay = false;
  #isGone = false;

  constructor(options: LogOutputOptions) {
    this.#options = options;
  }

  write(text: string): void {
    if (this.#isGone) return;
    const bytes = Buffer.from(text);
    if (this.#waitingBytes + bytes.length > this.#options.waitingBytesMax) return;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#rest === undefined) this.#next();
  }

  /** Writes what waits, now: nothing runs behind it any more. */
  end(): void {
    const rest = this.#isUnderWay || this.#rest === undefined ? [] : [this.#rest];
    let last = Buffer.concat([...rest, ...this.#waiting]);
    this.#waiting = [];
    let attemptsLeft = this.#options.endAttempts;
    while (last.length > 0 && !this.#isGone) {
      try {
        last = last.subarray(writeSync(this.#options.fileDescriptor, last));
      } catch (error) {
        if (!isBusy(error) || attemptsLeft-- <= 0) this.#isGone = true;
        else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, AGAIN_MS);
      }
    }
    this.#isGone = true;
  }

  #next(): void {
    if (this.#waiting.length === 0) return;
    this.#rest = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#write(this.#rest);
  }

  #write(bytes: Buffer): void {
    if (this.#isGone) return;
    this.#isUnderWay = true;
    write(this.#options.fileDescriptor, bytes, (error, count) => {
      this.#isUnderWay = false;
      if (error !== null) this.#failed(error, bytes);
      else if (count < bytes.length) {
        this.#rest = bytes.subarray(count);
        this.#write(this.#rest);
      } else {
        this.#rest = undefined;
        this.#next();
      }
    });
  }

  #failed(error: Error, bytes: Buffer): void {
    if (isBusy(error)) {
      setTimeout(() => this.#write(bytes), AGAIN_MS).unref();
      return;
    }
    this.#isGone = true;
    this.#rest = undefined;
    this.#waiting = [];
  }
}

/** It has no room at the moment. */
function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EAGAIN' || code === 'EBUSY';
}
