import type { QoS } from '../wire/control-packet.js';

/** One thing that a token says about topics. */
export interface Permission {
  readonly effect: 'allow' | 'deny';
  readonly action: 'publish' | 'subscribe' | 'all';
  /** `%u` stands for the user name, `%c` for the Client Identifier. */
  readonly topicFilter: string;
  /** Takes `topicFilter` as it is written: `+` and `#` match only a subscription to themselves. */
  readonly isLiteral?: boolean;
  /** Any QoS without it. */
  readonly qos?: readonly QoS[];
  /** Of a PUBLISH; both without it. */
  readonly retain?: boolean;
}

/** Who is at the other end, as an authentication method has found out. */
export interface Identity {
  /** Replaces the User Name of CONNECT. */
  readonly userName: string | undefined;
  readonly groups: readonly string[];
  /** What a token or a call-out said besides. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Wall clock, milliseconds since the Unix epoch: the connection ends then. */
  readonly expiresAtMs: number | undefined;
  /**
   * Topics that a token allows: the first one that matches decides, and what none matches is
   * refused. Undefined where the method says nothing about topics.
   */
  readonly permissions: readonly Permission[] | undefined;
  /** The name of the method, such as `password_file`. */
  readonly method?: string;
}
