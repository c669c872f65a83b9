import { ReasonCode } from '../wire/reason-code.js';
import type { DisconnectCause } from './host.js';

/** A client sends and does not read what it is answered. */
export function readsNothing(unsentBytes: number): DisconnectCause {
  return {
    kind: 'administrative',
    reasonCode: ReasonCode.QuotaExceeded,
    sentence: `it sends on and does not read the answers: ${unsentBytes} bytes wait`,
  };
}
