import { ReasonCode } from './reason-code.js';

/**
 * The peer broke the protocol. Thrown by the codec and the session, caught in one place
 * (`session/connection.ts`), which answers with the reason code and ends the connection.
 */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation';
  readonly reasonCode: ReasonCode;
  /**
   * The normative statement that was broken, such as `MQTT-3.1.2-3`; empty when none has a number.
   */
  readonly statement: string;

  /**
   * `sentence` says in plain words what the peer did wrong; it becomes the log line and the Reason
   * String.
   */
  constructor(reasonCode: ReasonCode, sentence: string, statement = '') {
    super(sentence);
    this.reasonCode = reasonCode;
    this.statement = statement;
  }
}

/** The packet cannot be parsed (5.0, section 4.13.1). */
export function malformed(sentence: string, statement = ''): never {
  throw new ProtocolViolation(ReasonCode.MalformedPacket, sentence, statement);
}

/** The packet parses, but says what the protocol does not allow (5.0, section 4.13.1). */
export function protocolError(sentence: string, statement = ''): never {
  throw new ProtocolViolation(ReasonCode.ProtocolError, sentence, statement);
}

/**
 * Of one packet's properties. The smallest of them have seven bytes: a packet full of them is more
 * work, and takes more memory, than any other one, and meanwhile nobody else has a turn.
 */
export const PROPERTIES_BYTES_MAX: number = 256 * 1024;

export function checkPropertyLength(bytes: number): void {
  if (bytes <= PROPERTIES_BYTES_MAX) return;
  throw new ProtocolViolation(
    ReasonCode.QuotaExceeded,
    `The packet has ${bytes} bytes of properties; the limit is ${PROPERTIES_BYTES_MAX}`,
  );
}
