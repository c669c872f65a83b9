import { protocolError } from './protocol-violation.js';
import { ReasonCode } from './reason-code.js';

/** CONNACK return codes of 3.1 and 3.1.1 (3.1.1, section 3.2.2.3). */
const ReturnCode = {
  Accepted: 0,
  UnacceptableProtocolVersion: 1,
  IdentifierRejected: 2,
  ServerUnavailable: 3,
  BadUserNameOrPassword: 4,
  NotAuthorized: 5,
} as const;

/** What the peer of an older version is told; any other refusal is `ServerUnavailable`. */
const RETURN_CODES: ReadonlyMap<number, number> = new Map([
  [ReasonCode.Success, ReturnCode.Accepted],
  [ReasonCode.UnsupportedProtocolVersion, ReturnCode.UnacceptableProtocolVersion],
  [ReasonCode.ClientIdentifierNotValid, ReturnCode.IdentifierRejected],
  [ReasonCode.BadUserNameOrPassword, ReturnCode.BadUserNameOrPassword],
  [ReasonCode.NotAuthorized, ReturnCode.NotAuthorized],
  [ReasonCode.Banned, ReturnCode.NotAuthorized],
  [ReasonCode.BadAuthenticationMethod, ReturnCode.NotAuthorized],
  [ReasonCode.TopicNameInvalid, ReturnCode.NotAuthorized],
  [ReasonCode.PayloadFormatInvalid, ReturnCode.NotAuthorized],
  [ReasonCode.RetainNotSupported, ReturnCode.NotAuthorized],
  [ReasonCode.QoSNotSupported, ReturnCode.NotAuthorized],
]);

const REASON_CODES: readonly ReasonCode[] = [
  ReasonCode.Success,
  ReasonCode.UnsupportedProtocolVersion,
  ReasonCode.ClientIdentifierNotValid,
  ReasonCode.ServerUnavailable,
  ReasonCode.BadUserNameOrPassword,
  ReasonCode.NotAuthorized,
];

export function returnCodeOfReasonCode(reasonCode: ReasonCode): number {
  return RETURN_CODES.get(reasonCode) ?? ReturnCode.ServerUnavailable;
}

export function reasonCodeOfReturnCode(returnCode: number): ReasonCode {
  const reasonCode = REASON_CODES[returnCode];
  if (reasonCode === undefined) protocolError(`CONNACK: return code ${returnCode} does not exist`);
  return reasonCode;
}
