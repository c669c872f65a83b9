import type { AllowedQoS } from '../../session/client-access.js';
import { DENIED } from '../../session/client-access.js';
import type { QoS } from '../../wire/control-packet.js';
import type { Who } from './who.js';

/** What a client may ask for, as bits: a rule names several. */
export const Request = {
  /** PUBLISH, or a will, without RETAIN. */
  Publish: 1,
  /** PUBLISH, or a will, with RETAIN. */
  PublishRetained: 2,
  Subscribe: 4,
  /** One message for a subscription that is there. */
  Receive: 8,
} as const;
export type Request = (typeof Request)[keyof typeof Request];

/** The words of rules, and which requests each stands for. */
export const actions: Readonly<Record<string, number>> = {
  publish: Request.Publish | Request.PublishRetained,
  retain: Request.PublishRetained,
  subscribe: Request.Subscribe | Request.Receive,
  receive: Request.Receive,
  all: Request.Publish | Request.PublishRetained | Request.Subscribe | Request.Receive,
};

export type Effect = 'allow' | 'deny';

/** One rule as somebody wrote it. */
export interface Rule {
  readonly effect: Effect;
  /** Of `Request`, as bits. */
  readonly requests: number;
  /** Where it allows: the highest QoS that it does. */
  readonly qosMax: QoS;
  readonly who: Who;
  /** Topic Filters, with `%u`, `%c` and `%{claim}` where they were written. */
  readonly topics: readonly string[];
  /** `%u` is two characters like others. */
  readonly isVerbatim?: boolean;
  /** What stands for a placeholder may have several levels, as Mosquitto takes it. */
  readonly takesLevels?: boolean;
  /** File and line, such as `acl.yaml:12`. */
  readonly place: string;
  /** As it was written, shortened: for the log and for people. */
  readonly text: string;
}

/** What a rule says to a request it matches. */
export function verdictOf(rule: Rule): AllowedQoS {
  return rule.effect === 'allow' ? rule.qosMax : DENIED;
}
