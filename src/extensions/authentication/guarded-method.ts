import type { Clock } from '../../base/clock.js';
import type {
  AuthenticationExchange,
  AuthenticationMethod,
  AuthenticationStep,
  Entry,
} from '../../broker/authentication.js';
import type { ClientView, Identity } from '../../broker/hooks.js';
import type { Decision } from '../../session/host.js';
import { ReasonCode } from '../../wire/reason-code.js';
import type { GuessBrake } from './guess-brake.js';
import { WRONG_SENTENCE } from './login-method.js';

/** An Authentication Method that listeners may choose, and which the brake slows down. */
export interface Guarded {
  /** As listeners name it, such as `scram`. */
  readonly kind: string;
  readonly method: AuthenticationMethod;
  /** Who a user is that the method lets in by name alone; undefined when he is gone meanwhile. */
  identityOf?(userName: string): Identity | undefined;
}

const NOT_HERE: AuthenticationExchange = {
  step: () => ({
    kind: 'refusal',
    reasonCode: ReasonCode.BadAuthenticationMethod,
    sentence: 'this listener does not offer the Authentication Method',
  }),
};

/** Stays with the broker under its name; what is behind it may change or go. */
export class GuardedMethod implements AuthenticationMethod {
  readonly name: string;
  guarded: Guarded | undefined = undefined;
  readonly #brake: GuessBrake;
  readonly #clock: Clock;

  constructor(name: string, brake: GuessBrake, clock: Clock) {
    this.name = name;
    this.#brake = brake;
    this.#clock = clock;
  }

  begin(client: ClientView, entry: Entry): AuthenticationExchange {
    const { guarded } = this;
    const names = entry.policy.authentication;
    if (guarded === undefined || names?.includes(guarded.kind) === false) return NOT_HERE;
    const exchange = guarded.method.begin(client, entry);
    return {
      step: (data) => {
        const sinceMs = this.#clock.nowMs;
        const step = exchange.step(data);
        const settle = (settled: AuthenticationStep): Decision<AuthenticationStep> =>
          this.#settle(guarded, settled, client, entry, sinceMs);
        return step instanceof Promise ? step.then(settle) : settle(step);
      },
    };
  }

  #settle(
    guarded: Guarded,
    step: AuthenticationStep,
    client: ClientView,
    { peer, policy }: Entry,
    sinceMs: number,
  ): Decision<AuthenticationStep> {
    if (step.kind === 'challenge') return step;
    if (step.kind === 'success') {
      if (step.identity !== undefined || guarded.identityOf === undefined) return step;
      const identity = guarded.identityOf(step.userName ?? '');
      if (identity !== undefined) return { ...step, identity };
    }
    const refusal = step.kind === 'refusal' ? step : GONE;
    const { userName = client.userName } = refusal;
    const { guessing } = policy;
    const attempt = { host: peer.host, userName, listener: peer.listener, guessing, sinceMs };
    return this.#brake.hold(attempt).then((isRepeated) => ({ ...refusal, isRepeated }));
  }
}

const GONE: AuthenticationStep & { kind: 'refusal' } = {
  kind: 'refusal',
  reasonCode: ReasonCode.NotAuthorized,
  sentence: WRONG_SENTENCE,
};
