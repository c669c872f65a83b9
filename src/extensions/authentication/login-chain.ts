import type { Clock } from '../../base/clock.js';
import type { Acceptance, AuthenticateRequest, ConnectRefusal } from '../../broker/hooks.js';
import type { Decision } from '../../session/host.js';
import { ReasonCode } from '../../wire/reason-code.js';
import type { GuessBrake } from './guess-brake.js';
import { accepted, type LoginMethod, NOT_MINE, type Verdict, WRONG } from './login-method.js';

/** A client that shows nothing where something is asked for. */
const NOTHING_SHOWN: Verdict = {
  kind: 'refused',
  reasonCode: ReasonCode.NotAuthorized,
  sentence: 'this listener asks for a user name and a password or something in their place',
  isGuess: true,
};

/** The listener of clients inside the process; their address is that of Unix sockets as well. */
const LOCAL = 'local';

/**
 * Asks the methods of a listener one after the other; the first that knows what the client shows
 * decides. Where none does, a client that shows nothing at all is let in if the listener says so.
 */
export class LoginChain {
  readonly #clock: Clock;
  readonly #brake: GuessBrake;
  /** All that are configured, in order. */
  #methods: readonly LoginMethod[];

  constructor(parts: {
    readonly clock: Clock;
    readonly brake: GuessBrake;
    readonly methods: readonly LoginMethod[];
  }) {
    this.#clock = parts.clock;
    this.#brake = parts.brake;
    this.#methods = parts.methods;
  }

  /** From the next CONNECT on. */
  set methods(methods: readonly LoginMethod[]) {
    this.#methods = methods;
  }

  judge(request: AuthenticateRequest): Decision<ConnectRefusal | Acceptance> {
    const sinceMs = this.#clock.nowMs;
    const verdict = this.#ask(this.#methodsOf(request), request);
    return verdict instanceof Promise
      ? verdict.then((settled) => this.#answer(settled, request, sinceMs))
      : this.#answer(verdict, request, sinceMs);
  }

  #methodsOf({ policy }: AuthenticateRequest): readonly LoginMethod[] {
    const names = policy.authentication;
    if (names === undefined) return this.#methods;
    return names.flatMap((name) => this.#methods.find((method) => method.name === name) ?? []);
  }

  #ask(methods: readonly LoginMethod[], request: AuthenticateRequest): Decision<Verdict> {
    for (let i = 0; i < methods.length; i++) {
      const verdict = methods[i]!.judge(request);
      if (verdict instanceof Promise) {
        const others = methods.slice(i + 1);
        return verdict.then((settled) =>
          settled.kind === 'not-mine' ? this.#ask(others, request) : settled,
        );
      }
      if (verdict.kind !== 'not-mine') return verdict;
    }
    return NOT_MINE;
  }

  #answer(
    verdict: Verdict,
    request: AuthenticateRequest,
    sinceMs: number,
  ): Decision<ConnectRefusal | Acceptance> {
    const settled = verdict.kind === 'not-mine' ? this.#nobody(request) : verdict;
    if (settled.kind === 'accepted') {
      return { reasonCode: ReasonCode.Success, identity: settled.identity };
    }
    const { reasonCode, sentence: reasonString, isGuess } = settled;
    if (!isGuess) return { reasonCode, reasonString };
    const { peer, userName, listener, policy } = request;
    const { guessing } = policy;
    return this.#brake
      .hold({ host: peer.host, userName, listener, guessing, sinceMs })
      .then((isRepeated) => ({ reasonCode, reasonString, isRepeated }));
  }

  #nobody(request: AuthenticateRequest): Exclude<Verdict, { kind: 'not-mine' }> {
    const { password, userName, peer, policy } = request;
    // The program that the broker is part of connects: it could do anything without that.
    const isOurs = peer.listener === LOCAL && password === undefined;
    const showsNothing = userName === undefined && password === undefined;
    const asksNothing = policy.authentication?.length === 0 || this.#methods.length === 0;
    let verdict = showsNothing ? NOTHING_SHOWN : WRONG;
    if (isOurs) verdict = accepted(LOCAL, userName);
    else if (policy.allowAnonymous === true && (showsNothing || asksNothing)) {
      verdict = accepted('anonymous', undefined);
    }
    return verdict as Exclude<Verdict, { kind: 'not-mine' }>;
  }
}
