import { type ReasonCode, reasonCodeName } from '../../wire/reason-code.js';

/** Why something asked of a `LocalClient` did not happen. */
export class LocalClientError extends Error {
  override readonly name = 'LocalClientError';
  /**
   * `refused`: the broker said no to this request alone. `closed`: the client has no connection any
   * more.
   */
  readonly kind: 'refused' | 'closed';
  readonly reasonCode: ReasonCode;

  constructor(kind: 'refused' | 'closed', reasonCode: ReasonCode, sentence: string) {
    super(`${sentence} (${reasonCodeName(reasonCode)})`);
    this.kind = kind;
    this.reasonCode = reasonCode;
  }
}
