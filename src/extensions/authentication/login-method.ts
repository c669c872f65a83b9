import type { AuthenticateRequest, Identity } from '../../broker/hooks.js';
import type { Decision } from '../../session/host.js';
import { ReasonCode } from '../../wire/reason-code.js';

/** What a method says of a client. */
export type Verdict =
  | { readonly kind: 'accepted'; readonly identity: Identity }
  | {
      readonly kind: 'refused';
      readonly reasonCode: ReasonCode;
      /** For the client and the log. */
      readonly sentence: string;
      /** The client showed something wrong: this counts, and slows down further answers. */
      readonly isGuess: boolean;
    }
  /** The client shows nothing that this method knows: the next one is asked. */
  | { readonly kind: 'not-mine' };

/** One way to tell who a client is. */
export interface LoginMethod {
  /** As in the configuration, such as `password_file`. */
  readonly name: string;
  judge(request: AuthenticateRequest): Decision<Verdict>;
}

export const NOT_MINE: Verdict = { kind: 'not-mine' };

export const WRONG_SENTENCE = 'the user name or the password is wrong';

/** The same for an unknown user and for a wrong password. */
export const WRONG: Verdict = {
  kind: 'refused',
  reasonCode: ReasonCode.BadUserNameOrPassword,
  sentence: WRONG_SENTENCE,
  isGuess: true,
};

export const BUSY: Verdict = {
  kind: 'refused',
  reasonCode: ReasonCode.ServerBusy,
  sentence: 'too many clients log in at once: try again later',
  isGuess: false,
};

export function accepted(
  method: string,
  userName: string | undefined,
  more: Partial<Identity> = {},
): Verdict {
  return { kind: 'accepted', identity: identityOf(method, userName, more) };
}

export function identityOf(
  method: string,
  userName: string | undefined,
  more: Partial<Identity> = {},
): Identity {
  return {
    userName,
    groups: [],
    claims: {},
    expiresAtMs: undefined,
    permissions: undefined,
    method,
    ...more,
  };
}
