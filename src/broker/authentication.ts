import type { Decision } from '../session/host.js';
import type { Identity } from '../session/identity.js';
import type { ListenerPolicy } from '../session/limits.js';
import type { Peer } from '../session/network-connection.js';
import type { ReasonCode } from '../wire/reason-code.js';
import type { ClientView } from './hooks.js';

/** One turn of an exchange: a challenge, the end with the name of who it is, or a refusal. */
export type AuthenticationStep =
  | { readonly kind: 'challenge'; readonly data: Uint8Array | undefined }
  | {
      readonly kind: 'success';
      readonly data: Uint8Array | undefined;
      readonly userName: string | undefined;
      /** Weighs more than `userName`; a re-authentication puts it in the place of the last one. */
      readonly identity?: Identity;
    }
  | {
      readonly kind: 'refusal';
      readonly reasonCode: ReasonCode;
      readonly sentence: string;
      readonly isRepeated?: boolean;
      /** Whom it was tried for, where the method knows. */
      readonly userName?: string;
    };

/** One exchange with one client: a new one for CONNECT and for each re-authentication. */
export interface AuthenticationExchange {
  step(data: Uint8Array | undefined): Decision<AuthenticationStep>;
}

/** Where a client came in. */
export interface Entry {
  readonly peer: Peer;
  readonly policy: ListenerPolicy;
  /** Whether the client has gone meanwhile. */
  readonly isGone: () => boolean;
  /** Who works for the client is told once that it goes; the last one who asks for it. */
  readonly whenGone: (stop: () => void) => void;
}

/** An Authentication Method of enhanced authentication (5.0, section 4.12). */
export interface AuthenticationMethod {
  /** As clients name it, such as `SCRAM-SHA-256`. */
  readonly name: string;
  begin(client: ClientView, entry: Entry): AuthenticationExchange;
}
