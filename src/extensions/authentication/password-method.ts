import { createHmac, randomBytes } from 'node:crypto';
import { BoundedMap } from '../../base/bounded-map.js';
import type { Clock } from '../../base/clock.js';
import type { AuthenticateRequest } from '../../broker/hooks.js';
import type { Decision } from '../../session/host.js';
import { accepted, BUSY, type LoginMethod, NOT_MINE, type Verdict, WRONG } from './login-method.js';
import { PASSWORD_BYTES_MAX, USER_NAME_BYTES_MAX } from './password-file.js';
import type { PasswordHash } from './password-hash.js';
import type { UserDirectory } from './user-directory.js';
import type { WorkQueue } from './work-queue.js';

const CACHE_ENTRIES_MAX = 20_000;
/** A wrong password is remembered so long: a device that repeats it costs no more hashing. */
const WRONG_SECONDS_MAX = 60;
const SECRET_BYTES = 32;

interface Remembered {
  readonly isRight: boolean;
  readonly untilMs: number;
}

interface Trial {
  readonly result: Promise<boolean | undefined>;
  /** Those who wait for it: it is left out when all of them have gone. */
  readonly waiting: (() => boolean)[];
}

/** User name and password against hashes. The thread of the protocol computes none of them. */
export class PasswordMethod implements LoginMethod {
  readonly name = 'password_file';
  readonly #users: UserDirectory;
  readonly #queue: WorkQueue;
  readonly #verify: (hash: PasswordHash, password: Uint8Array) => Promise<boolean>;
  readonly #clock: Clock;
  readonly #cacheMs: number;
  readonly #secret = randomBytes(SECRET_BYTES);
  #remembered = new BoundedMap<Remembered>(CACHE_ENTRIES_MAX);
  #trials = new Map<string, Trial>();

  constructor(parts: {
    readonly users: UserDirectory;
    readonly queue: WorkQueue;
    readonly verify: (hash: PasswordHash, password: Uint8Array) => Promise<boolean>;
    readonly clock: Clock;
    /** How long a right password is remembered, so that a reconnect costs no hashing. */
    readonly cacheSeconds: number;
  }) {
    this.#users = parts.users;
    this.#queue = parts.queue;
    this.#verify = parts.verify;
    this.#clock = parts.clock;
    this.#cacheMs = parts.cacheSeconds * 1000;
  }

  /** The users have changed: nothing is remembered of before. */
  forget(): void {
    this.#remembered.clear();
    // What is under way goes into the maps of before.
    this.#remembered = new BoundedMap(CACHE_ENTRIES_MAX);
    this.#trials = new Map();
  }

  judge(request: AuthenticateRequest): Decision<Verdict> {
    const { userName, password } = request;
    if (userName === undefined || password === undefined) return NOT_MINE;
    // Nobody has such a name or password: this tells nothing of who is there.
    if (userName.length > USER_NAME_BYTES_MAX || password.length > PASSWORD_BYTES_MAX)
      return NOT_MINE;
    const key = this.#keyOf(userName, password);
    const remembered = this.#remembered.get(key);
    if (remembered !== undefined && remembered.untilMs > this.#clock.nowMs) {
      return this.#verdict(request, remembered.isRight);
    }
    // An unknown user costs what a known one costs.
    const tried = this.#users.find(userName) ?? this.#users.standInFor(userName);
    if (tried === undefined) return NOT_MINE;
    const { result, waiting } = this.#trials.get(key) ?? this.#try(key, tried.hash, request);
    waiting.push(request.isGone);
    return result.then((isRight) => {
      if (isRight === undefined) return BUSY;
      // The file may have changed while the hash was computed.
      const isCurrent = this.#users.find(userName)?.written === tried.written;
      return this.#verdict(request, isRight && isCurrent);
    });
  }

  #try(key: string, hash: PasswordHash, { password, userName, peer }: AuthenticateRequest): Trial {
    const trials = this.#trials;
    const remembered = this.#remembered;
    const waiting: (() => boolean)[] = [];
    const allGone = (): boolean => waiting.every((isGone) => isGone());
    // The packet's bytes belong to the connection, which may end meanwhile.
    const bytes = Uint8Array.from(password!);
    const isKnown = this.#users.find(userName!)?.hash === hash;
    const work = (): Promise<boolean> => this.#verify(hash, bytes);
    const result = this.#queue
      .run({ host: peer.host, userName }, allGone, work)
      .then((fits) => {
        if (fits === undefined) return undefined;
        const isRight = fits && isKnown;
        const seconds = this.#cacheMs / 1000;
        const keptMs = 1000 * (isRight ? seconds : Math.min(seconds, WRONG_SECONDS_MAX));
        const untilMs = this.#clock.nowMs + keptMs;
        if (keptMs > 0) remembered.set(key, { isRight, untilMs });
        return isRight;
      })
      .finally(() => trials.delete(key));
    const trial = { result, waiting };
    trials.set(key, trial);
    return trial;
  }

  #verdict({ userName, clientIdentifier }: AuthenticateRequest, isRight: boolean): Verdict {
    const user = this.#users.find(userName!);
    if (user === undefined) return NOT_MINE;
    const isOther =
      user.clientIdentifier !== undefined && user.clientIdentifier !== clientIdentifier;
    return isRight && !isOther ? accepted(this.name, userName!, { groups: user.groups }) : WRONG;
  }

  /** Of no use to whoever reads it in memory without the secret of this process. */
  #keyOf(userName: string, password: Uint8Array): string {
    const hmac = createHmac('sha256', this.#secret).update(`${userName.length} ${userName}`);
    return hmac.update(password).digest('base64');
  }
}
