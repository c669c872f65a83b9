import type { Packet } from 'mqtt-packet';

/** A connection as the parts of a device see it. */
export interface Wire {
  send(packet: Packet): void;
  /** The device ends the connection and will say so. */
  fail(why: string): void;
}
