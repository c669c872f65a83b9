import type { Clock } from '../base/clock.js';
import type { PublishFrame } from '../wire/publish-frame.js';
import type { Drops } from './drops.js';
import type { Limits } from './limits.js';
import type { SessionStore } from './session-store.js';
import type { Statistics } from './statistics.js';

/** What all outbound flows share. */
export interface OutboundContext {
  readonly clock: Clock;
  readonly store: SessionStore;
  readonly limits: Limits;
  readonly statistics: Statistics;
  readonly drops: Drops;
  /**
   * For messages that come from a queue: the frame of the message being published stays untouched.
   */
  readonly queuedFrame: PublishFrame;
}
