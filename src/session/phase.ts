import { PacketType } from '../wire/control-packet.js';
import { ProtocolViolation } from '../wire/protocol-violation.js';
import { ReasonCode } from '../wire/reason-code.js';

/** The life of a connection, in order. */
export type Phase = 'awaiting-connect' | 'connecting' | 'authenticating' | 'connected' | 'closed';

/** Throws where a packet of this type has no place before the client is connected. */
export function checkPhase(phase: Phase, type: number): void {
  if (phase === 'awaiting-connect' && type !== PacketType.CONNECT) {
    throw new ProtocolViolation(
      ReasonCode.ProtocolError,
      'The first packet was not a CONNECT',
      'MQTT-3.1.0-1',
    );
  }
  const mayAnswer = type === PacketType.AUTH || type === PacketType.DISCONNECT;
  if (phase === 'authenticating' && !mayAnswer) {
    throw new ProtocolViolation(
      ReasonCode.ProtocolError,
      'Only AUTH and DISCONNECT may follow while authentication is not complete',
      'MQTT-4.12.0-5',
    );
  }
}
