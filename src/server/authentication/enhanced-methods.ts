import { createHash } from 'node:crypto';
import type { Clock } from '../../base/clock.js';
import type { Broker } from '../../broker/broker.js';
import type { Identity } from '../../broker/hooks.js';
import { type Guarded, GuardedMethod } from '../../extensions/authentication/guarded-method.js';
import type { GuessBrake } from '../../extensions/authentication/guess-brake.js';
import { jwtAuthenticationMethod } from '../../extensions/authentication/jwt-method.js';
import type { JwtVerifier } from '../../extensions/authentication/jwt-verifier.js';
import { identityOf } from '../../extensions/authentication/login-method.js';
import type { UserDirectory } from '../../extensions/authentication/user-directory.js';
import { scramSha256 } from '../../extensions/scram/scram-sha-256.js';
import type { AuthenticationConfig } from '../config/authentication.js';

const SCRAM = 'SCRAM-SHA-256';
/** As clients of several clouds name the same: the Authentication Data is the token. */
const TOKEN_NAMES = ['JWT', 'OAUTH2-JWT', 'K8S-SAT'];

/** Authentication Methods of 5.0 that the configuration offers. */
export class EnhancedMethods {
  readonly scramName = 'scram';
  readonly #broker: Pick<Broker, 'addAuthenticationMethod'>;
  readonly #brake: GuessBrake;
  readonly #clock: Clock;
  readonly #users: UserDirectory;
  readonly #methods = new Map<string, GuardedMethod>();

  constructor(parts: {
    readonly broker: Pick<Broker, 'addAuthenticationMethod'>;
    readonly brake: GuessBrake;
    readonly clock: Clock;
    readonly users: UserDirectory;
  }) {
    this.#broker = parts.broker;
    this.#brake = parts.brake;
    this.#clock = parts.clock;
    this.#users = parts.users;
  }

  apply({ scram }: AuthenticationConfig, verifier: JwtVerifier | undefined): void {
    this.#offer(SCRAM, scram ? this.#scram() : undefined);
    for (const name of TOKEN_NAMES) {
      const method = verifier && jwtAuthenticationMethod(name, verifier);
      this.#offer(name, method && { kind: 'jwt', method });
    }
  }

  /** One that was never asked for is left to the program that embeds the broker. */
  #offer(name: string, guarded: Guarded | undefined): void {
    let method = this.#methods.get(name);
    if (method === undefined) {
      if (guarded === undefined) return;
      method = new GuardedMethod(name, this.#brake, this.#clock);
      this.#methods.set(name, method);
      this.#broker.addAuthenticationMethod(method);
    }
    method.guarded = guarded;
  }

  #scram(): Guarded | undefined {
    const users = this.#users;
    const iterations = users.scramIterations;
    if (iterations === undefined) return undefined;
    return {
      kind: this.scramName,
      method: scramSha256({
        credentials: (userName) => users.scramKeys(userName),
        // The same after a restart: what unknown users are told must not tell them apart.
        secret: createHash('sha256').update(`unknown users ${users.first?.written}`).digest(),
        iterations,
      }),
      identityOf: (userName): Identity | undefined => {
        const user = users.find(userName);
        if (user === undefined) return undefined;
        return identityOf(this.scramName, userName, { groups: user.groups });
      },
    };
  }
}
