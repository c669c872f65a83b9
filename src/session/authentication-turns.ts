import type { Auth } from '../wire/control-packet.js';
import { ProtocolViolation } from '../wire/protocol-violation.js';
import { ReasonCode } from '../wire/reason-code.js';

/** Whose turn it is in an exchange of AUTH packets (5.0, section 4.12). */
export class AuthenticationTurns {
  #isReAuthenticating = false;

  /** Throws when this AUTH may not come now. */
  check(auth: Auth, method: string | undefined, isConnected: boolean): void {
    if (method === undefined || auth.authenticationMethod !== method) {
      throw new ProtocolViolation(
        ReasonCode.ProtocolError,
        'AUTH names another Authentication Method than CONNECT',
        'MQTT-4.12.1-1',
      );
    }
    if (isConnected && auth.reasonCode === ReasonCode.ReAuthenticate && !this.#isReAuthenticating) {
      this.#isReAuthenticating = true;
      return;
    }
    const isExpected = !isConnected || this.#isReAuthenticating;
    if (isExpected && auth.reasonCode === ReasonCode.ContinueAuthentication) return;
    throw new ProtocolViolation(ReasonCode.ProtocolError, 'AUTH came out of turn', 'MQTT-4.12.0-3');
  }

  /** The exchange is over. */
  ended(): void {
    this.#isReAuthenticating = false;
  }
}
