import type { Clock, Timers } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import type { Broker } from '../../broker/broker.js';
import { GuessBrake } from '../../extensions/authentication/guess-brake.js';
import { HttpMethod } from '../../extensions/authentication/http-method.js';
import { JwtMethod } from '../../extensions/authentication/jwt-method.js';
import type { JwtVerifier } from '../../extensions/authentication/jwt-verifier.js';
import { LoginChain } from '../../extensions/authentication/login-chain.js';
import type { LoginMethod } from '../../extensions/authentication/login-method.js';
import { verifyPassword } from '../../extensions/authentication/password-hash.js';
import { PasswordMethod } from '../../extensions/authentication/password-method.js';
import { certificateMethod, pskMethod } from '../../extensions/authentication/peer-methods.js';
import { UserDirectory } from '../../extensions/authentication/user-directory.js';
import { WorkQueue } from '../../extensions/authentication/work-queue.js';
import { ReasonCode } from '../../wire/reason-code.js';
import { type AuthenticationConfig, authenticationMethods } from '../config/authentication.js';
import type { CallOutConfig } from '../config/call-out.js';
import { judgeMethods, methodsOf } from '../config/doors.js';
import type { Config } from '../config.js';
import { ExitCode, StartError } from '../exit-code.js';
import type { HttpPost } from '../http-post.js';
import type { PreparedReload, Reloadable } from '../reload.js';
import { EnhancedMethods } from './enhanced-methods.js';
import { FileWatch } from './file-watch.js';
import { isShutOut } from './shut-out.js';
import { readUsers, type Users } from './users.js';

/** Passwords that wait to be hashed. */
const HASHES_WAITING_MAX = 4000;
/** Every token may ask for the keys again: that they cannot be had is told so often. */
const KEY_SET_TOLD_MS = 60_000;
/** Clients that wait until the server that is asked about them has time. */
const REQUESTS_WAITING_MAX = 1000;

type JoinedBroker = Pick<
  Broker,
  'hooks' | 'statistics' | 'disconnectClients' | 'addAuthenticationMethod'
>;

interface Parts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Logger;
}

/** What a configuration needs, read and judged. */
interface Ready extends Users {
  readonly verifier: JwtVerifier | undefined;
}

/** What exists once there is a broker. */
interface Joined {
  readonly broker: JoinedBroker;
  readonly brake: GuessBrake;
  readonly chain: LoginChain;
  readonly enhanced: EnhancedMethods;
}

/** Who clients are, as the configuration says it: joins the methods to the broker's hooks. */
export class Authentication implements Reloadable {
  readonly #parts: Parts;
  readonly #users = new UserDirectory();
  readonly #watch = new FileWatch(() => {
    this.#rereading = this.#rereading.then(() => this.#reread());
  });
  /** One after the other: what was read first must not be applied last. */
  #rereading: Promise<void> = Promise.resolve();
  #joined: Joined | undefined = undefined;
  #post: Promise<HttpPost> | undefined = undefined;
  #http: HttpMethod | undefined = undefined;
  #passwords: PasswordMethod | undefined = undefined;
  #config: Config | undefined = undefined;
  #keySetToldMs = Number.NEGATIVE_INFINITY;
  /** The chain is among the hooks: it is not where nothing is to be asked. */
  #isAsked = false;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Before the first configuration is applied. */
  join(broker: JoinedBroker, { authentication }: Config): void {
    const { clock, timers, log } = this.#parts;
    const { statistics } = broker;
    const settings = authentication.guessing;
    const brake = new GuessBrake({ clock, timers, log, statistics, settings });
    const chain = new LoginChain({ clock, brake, methods: [] });
    const enhanced = new EnhancedMethods({ broker, brake, clock, users: this.#users });
    this.#joined = { broker, brake, chain, enhanced };
  }

  /** Reads what there is to read; rejects with a `StartError` for what cannot be used. */
  async prepare(next: Config): Promise<PreparedReload> {
    const faults = [...judgeMethods(next)];
    const users = await readUsers(next.authentication);
    const tokens = await this.#tokens(next.authentication);
    faults.push(...users.faults, ...tokens.faults);
    if (faults.length > 0) throw new StartError(ExitCode.Usage, faults);
    const { verifier } = tokens;
    return { apply: () => this.#apply(next, { ...users, verifier }) };
  }

  close(): void {
    this.#watch.close();
    void this.#post?.then((post) => post.close());
  }

  #apply(config: Config, { users, verifier }: Ready): void {
    const { broker, brake, chain, enhanced } = this.#joined!;
    const { authentication } = config;
    const changed = this.#users.replace(users);
    brake.settings = authentication.guessing;
    if (changed.size > 0) this.#passwords?.forget();
    this.#passwords = this.#passwordsFor(authentication);
    chain.methods = this.#methods(authentication, verifier);
    enhanced.apply(authentication, verifier);
    const isAsked = config.listen.some((listen) => methodsOf(listen, config).length > 0);
    if (isAsked && !this.#isAsked)
      broker.hooks.authenticate.add((_, request) => chain.judge(request));
    this.#isAsked ||= isAsked;
    const before = this.#config;
    this.#config = config;
    this.#watch.paths = filesOf(authentication);
    this.#disconnect(changed);
    if (before !== undefined && before !== config) this.#shutOut(config, before);
  }

  /** Whoever came in by a way that is closed now logs in by another one, or not at all. */
  #shutOut(config: Config, before: Config): void {
    this.#joined!.broker.disconnectClients((client) => isShutOut(client, config, before), {
      reasonCode: ReasonCode.NotAuthorized,
      sentence: 'the way it came in is closed now: log in again',
    });
  }

  /** In the order of `authenticationMethods`; listeners name those that they ask. */
  #methods(
    { jwt, http }: AuthenticationConfig,
    verifier: JwtVerifier | undefined,
  ): readonly LoginMethod[] {
    const methods: LoginMethod[] = [certificateMethod, pskMethod, this.#passwords!];
    if (verifier !== undefined) methods.push(new JwtMethod(verifier, jwt?.cookie));
    if (http !== undefined) methods.push(this.#callOut(http));
    const place = ({ name }: LoginMethod): number =>
      (authenticationMethods as readonly string[]).indexOf(name);
    return methods.sort((a, b) => place(a) - place(b));
  }

  /** The library is loaded only where there are tokens. */
  async #tokens({ jwt }: AuthenticationConfig): Promise<Pick<Ready, 'verifier' | 'faults'>> {
    if (jwt === undefined) return { verifier: undefined, faults: [] };
    const { readJwtKeys } = await import('../../extensions/authentication/jwt-keys.js');
    const keys = await readJwtKeys(jwt, this.#keySetFailed);
    if (typeof keys !== 'function') return { verifier: undefined, faults: keys };
    const { JwtVerifier } = await import('../../extensions/authentication/jwt-verifier.js');
    return { verifier: new JwtVerifier(jwt, keys, this.#parts.clock), faults: [] };
  }

  readonly #keySetFailed = (reason: string): void => {
    const { log, clock } = this.#parts;
    if (clock.nowMs - this.#keySetToldMs < KEY_SET_TOLD_MS) return;
    this.#keySetToldMs = clock.nowMs;
    log.error(
      { event: 'key_set_failed', reason },
      `Nobody comes in by a token whose key is not known yet: the keys could not be fetched (${reason})`,
    );
  };

  /** What it remembers stays where nothing of it was changed. */
  #callOut(http: CallOutConfig): LoginMethod {
    const before = this.#config?.authentication.http;
    if (this.#http !== undefined && JSON.stringify(before) === JSON.stringify(http)) {
      return this.#http;
    }
    void this.#post?.then((post) => post.close());
    // Loaded only where there is such a server.
    const post = import('../http-post.js').then(({ HttpPost }) => new HttpPost(http));
    this.#post = post;
    this.#http = new HttpMethod({
      ...this.#parts,
      ...http,
      post: async (question, whenGone) => (await post).post(question, whenGone),
      queue: new WorkQueue(http.atOnceMax, REQUESTS_WAITING_MAX),
    });
    return this.#http;
  }

  #passwordsFor({ hashesAtOnce, passwordCacheSeconds }: AuthenticationConfig): PasswordMethod {
    const { authentication: before } = this.#config ?? {};
    const isSame =
      before?.hashesAtOnce === hashesAtOnce && before.passwordCacheSeconds === passwordCacheSeconds;
    if (isSame && this.#passwords !== undefined) return this.#passwords;
    return new PasswordMethod({
      users: this.#users,
      queue: new WorkQueue(hashesAtOnce, HASHES_WAITING_MAX),
      verify: verifyPassword,
      clock: this.#parts.clock,
      cacheSeconds: passwordCacheSeconds,
    });
  }

  /** A user who is gone, or has another password or other groups, logs in anew or not at all. */
  #disconnect(changed: ReadonlySet<string>): void {
    if (changed.size === 0) return;
    const { broker, enhanced } = this.#joined!;
    const names = new Set([this.#passwords!.name, enhanced.scramName]);
    broker.disconnectClients(
      ({ identity }) => names.has(identity?.method ?? '') && changed.has(identity?.userName ?? ''),
      {
        reasonCode: ReasonCode.NotAuthorized,
        sentence: 'its user was removed or changed: log in again',
      },
    );
  }

  async #reread(): Promise<void> {
    const { log } = this.#parts;
    try {
      const { apply } = await this.prepare(this.#config!);
      apply();
      const users = this.#users.size;
      log.info({ event: 'users_read', users }, `the password file was read again: ${users} users`);
    } catch (error) {
      const reason = String(error instanceof StartError ? error.message : error);
      log.error(
        { event: 'users_not_read', reason },
        `what was before stays in force, since a file of authentication cannot be used: ${reason}`,
      );
    }
  }
}

/** What is read again when it changes. */
function filesOf(config: AuthenticationConfig): readonly string[] {
  const { passwordFile, dynamicSecurityFile, jwt } = config;
  const keySet = /^https?:/i.test(jwt?.jwks ?? '') ? undefined : jwt?.jwks;
  const files = [passwordFile, dynamicSecurityFile, jwt?.publicKey, keySet];
  return files.filter((path) => path !== undefined);
}
