import type { Clock } from '../base/clock.js';
import type { Dial, Line, LineEvents } from './line.js';

/** Between a device's serial line and the network; see `transparentModem`. */
export interface TransparentModem {
  readonly dial: Dial;
  /** Connections it has made by itself. */
  readonly dials: number;
  /** Its connection breaks, with what is under way. */
  cut(): void;
}

/**
 * A modem that carries bytes and nothing else: the device learns of no connection and of no end of
 * one, and cannot end one either. It dials when the device says something and there is none; a
 * device that starts again sends its CONNECT into the connection it had.
 */
export function transparentModem(dial: Dial, clock: Clock): TransparentModem {
  let device: LineEvents | undefined;
  let far: Line | undefined;
  let dials = 0;
  const reach = (): Line => {
    dials++;
    const waiting: Buffer[] = [];
    let isOpen = false;
    const line = dial({
      opened: () => {
        isOpen = true;
        // The line is known only when `dial` has returned.
        clock.after(0, () => {
          for (const bytes of waiting.splice(0)) line.write(bytes);
        });
      },
      data: (bytes) => device?.data(bytes),
      closed: () => {
        if (far === own) far = undefined;
      },
    });
    const own: Line = {
      ...line,
      write: (bytes) => {
        if (isOpen && waiting.length === 0) line.write(bytes);
        else waiting.push(bytes);
      },
    };
    return own;
  };
  return {
    get dials() {
      return dials;
    },
    cut() {
      far?.reset();
      far = undefined;
    },
    dial: (events) => {
      device = events;
      clock.after(0, () => events.opened());
      const forget = () => {
        if (device === events) device = undefined;
      };
      return {
        localPort: undefined,
        write: (bytes) => {
          far ??= reach();
          far.write(bytes);
        },
        end: forget,
        reset: forget,
        pause: () => far?.pause(),
        resume: () => far?.resume(),
      };
    },
  };
}
