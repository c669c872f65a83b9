import type { Clock } from '../base/clock.js';
import type { Dial } from './line.js';

/**
 * A modem in between: each write is an exchange of its own with it and leaves at the end of that,
 * one after the other.
 */
export function slowWrites(dial: Dial, clock: Clock, writeMs: number): Dial {
  return (events) => {
    const waiting: (() => void)[] = [];
    let isBusy = false;
    let isOver = false;
    const next = (): void => {
      const run = waiting.shift();
      isBusy = run !== undefined;
      if (run === undefined) return;
      clock.after(writeMs, () => {
        if (isOver) return;
        run();
        next();
      });
    };
    const later = (run: () => void): void => {
      waiting.push(run);
      if (!isBusy) next();
    };
    const line = dial({
      opened: () => events.opened(),
      data: (bytes) => events.data(bytes),
      closed: (reset) => {
        isOver = true;
        events.closed(reset);
      },
    });
    return {
      get localPort() {
        return line.localPort;
      },
      write: (bytes) => later(() => line.write(bytes)),
      end: () => later(() => line.end()),
      reset: () => {
        isOver = true;
        line.reset();
      },
      pause: () => line.pause(),
      resume: () => line.resume(),
    };
  };
}
