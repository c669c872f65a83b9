import { Samples } from '../base/samples.js';

/** What one device did and saw. */
export class DeviceReport {
  /** Attempts to connect, and those that CONNACK accepted. */
  attempts = 0;
  connections = 0;
  sessionsResumed = 0;
  refusals = 0;
  /** Ends that the device did not ask for, by what it would say of them. */
  readonly drops: Map<string, number> = new Map<string, number>();
  published = 0;
  acknowledged = 0;
  /** Sent again with or without a new connection. */
  resent = 0;
  received = 0;
  /** Of them with DUP. */
  receivedDup = 0;
  /** Too large for the buffer, or with too long a topic. */
  oversize = 0;
  /** Own messages that were thrown away: too large, too many, or unacknowledged for too long. */
  overflowed = 0;
  pings = 0;
  readonly connackMs: Samples = new Samples();
  readonly subackMs: Samples = new Samples();
  /** From the first PUBLISH to PUBACK or PUBCOMP. */
  readonly ackMs: Samples = new Samples();
  readonly pingrespMs: Samples = new Samples();
  /** From the end of a connection, whoever ended it, to CONNACK with the session. */
  readonly resumeMs: Samples = new Samples();
  /** From the beginning of each connection to the first message it carried, either way. */
  readonly firstUsefulMs: Samples = new Samples();

  get dropCount(): number {
    return [...this.drops.values()].reduce((sum, count) => sum + count, 0);
  }

  drop(why: string): void {
    this.drops.set(why, (this.drops.get(why) ?? 0) + 1);
  }
}
