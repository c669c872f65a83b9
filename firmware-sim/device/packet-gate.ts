import type { Dial } from '../link/line.js';
import { FrameReader } from './frame-reader.js';

/** As a device sees it; of MQTT, by number: 3 PUBLISH, 5 PUBREC, 6 PUBREL, 7 PUBCOMP. */
export interface PacketMoment {
  readonly way: 'received' | 'sent';
  /** `before`: the packet is never handled, or never leaves. */
  readonly when: 'before' | 'after';
  readonly type: number;
}

/**
 * Between a device and its line: tells of every packet, and lets none pass once `strike` has said
 * that this is the moment in which something breaks.
 */
export function gatedDial(dial: Dial, strike: (moment: PacketMoment) => boolean): Dial {
  return (events) => {
    const reader = new FrameReader(Number.POSITIVE_INFINITY);
    let struck = false;
    const isStruck = (moment: PacketMoment): boolean => {
      struck ||= strike(moment);
      return struck;
    };
    const line = dial({
      opened: () => events.opened(),
      closed: (reset) => events.closed(reset),
      data: (bytes) => {
        reader.feed(bytes, (frame) => {
          const type = frame.bytes[0]! >> 4;
          if (isStruck({ way: 'received', when: 'before', type })) return false;
          events.data(frame.bytes);
          return !isStruck({ way: 'received', when: 'after', type });
        });
      },
    });
    return {
      get localPort() {
        return line.localPort;
      },
      write: (bytes) => {
        const type = bytes[0]! >> 4;
        if (isStruck({ way: 'sent', when: 'before', type })) return;
        line.write(bytes);
        isStruck({ way: 'sent', when: 'after', type });
      },
      end: () => line.end(),
      reset: () => line.reset(),
      pause: () => line.pause(),
      resume: () => line.resume(),
    };
  };
}
