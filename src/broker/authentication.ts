import type { Decision } from '../session/host.js';
import type { ReasonCode } from '../wire/reason-code.js';
import type { ClientView } from './hooks.js';

/** One turn of an exchange: a challenge, the end with the name of who it is, or a refusal. */
export type AuthenticationStep =
  | { readonly kind: 'challenge'; readonly data: Uint8Array | undefined }
  | {
      readonly kind: 'success';
      readonly data: Uint8Array | undefined;
      readonly userName: string | undefined;
    }
  | { readonly kind: 'refusal'; readonly reasonCode: ReasonCode; readonly sentence: string };

/** One exchange with one client: a new one for CONNECT and for each re-authentication. */
export interface AuthenticationExchange {
  step(data: Uint8Array | undefined): Decision<AuthenticationStep>;
}

/** An Authentication Method of enhanced authentication (5.0, section 4.12). */
export interface AuthenticationMethod {
  /** As clients name it, such as `SCRAM-SHA-256`. */
  readonly name: string;
  begin(client: ClientView): AuthenticationExchange;
}
