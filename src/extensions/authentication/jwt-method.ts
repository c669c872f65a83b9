import { isUtf8, utf8Text } from '../../base/utf8.js';
import type { AuthenticationMethod } from '../../broker/authentication.js';
import type { AuthenticateRequest } from '../../broker/hooks.js';
import type { Decision } from '../../session/host.js';
import { ReasonCode } from '../../wire/reason-code.js';
import { JWT, looksLikeToken } from './jwt-shape.js';
import type { JwtVerifier } from './jwt-verifier.js';
import { type LoginMethod, NOT_MINE, type Verdict } from './login-method.js';

/**
 * A token as the password or, for clients of WebSocket that send no password, in the header
 * `Authorization`, the subprotocol, or a cookie.
 */
export class JwtMethod implements LoginMethod {
  readonly name: string = JWT;
  readonly #verifier: JwtVerifier;
  readonly #cookie: string | undefined;

  constructor(verifier: JwtVerifier, cookie: string | undefined) {
    this.#verifier = verifier;
    this.#cookie = cookie;
  }

  judge(request: AuthenticateRequest): Decision<Verdict> {
    const token = this.#tokenOf(request);
    if (token === undefined || !looksLikeToken(token)) return NOT_MINE;
    return this.#verifier.verify(token, request.clientIdentifier).then((result) => {
      if (!('sentence' in result)) return { kind: 'accepted', identity: result };
      const { sentence, isOurs } = result;
      return {
        kind: 'refused',
        reasonCode: isOurs ? ReasonCode.ServerUnavailable : ReasonCode.BadUserNameOrPassword,
        sentence,
        isGuess: !isOurs,
      };
    });
  }

  #tokenOf({ password, peer }: AuthenticateRequest): string | undefined {
    if (password !== undefined) return textOf(password);
    const { request } = peer;
    const cookie = this.#cookie;
    if (request === undefined) return undefined;
    return request.token ?? (cookie === undefined ? undefined : request.cookies[cookie]);
  }
}

/**
 * The same in AUTH (5.0, section 4.12): the token is the Authentication Data of CONNECT, and of the
 * AUTH 0x19 by which a client renews it without a new connection.
 */
export function jwtAuthenticationMethod(name: string, verifier: JwtVerifier): AuthenticationMethod {
  return {
    name,
    begin: ({ clientIdentifier }) => ({
      step: async (data) => {
        const token = data === undefined ? undefined : textOf(data);
        const result = await verifier.verify(token ?? '', clientIdentifier);
        if (!('sentence' in result)) {
          const { userName } = result;
          return { kind: 'success', data: undefined, userName, identity: result };
        }
        const { sentence, isOurs } = result;
        const reasonCode = isOurs ? ReasonCode.ServerUnavailable : ReasonCode.NotAuthorized;
        return { kind: 'refusal', reasonCode, sentence };
      },
    }),
  };
}

function textOf(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes, 0, bytes.length) ? utf8Text(bytes, 0, bytes.length) : undefined;
}
