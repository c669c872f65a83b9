import { createHmac, randomBytes } from 'node:crypto';
import { BoundedMap } from '../../base/bounded-map.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import { isUtf8, utf8Text } from '../../base/utf8.js';
import type { AuthenticateRequest, Identity } from '../../broker/hooks.js';
import type { Decision } from '../../session/host.js';
import { ReasonCode } from '../../wire/reason-code.js';
import {
  BUSY,
  identityOf,
  type LoginMethod,
  NOT_MINE,
  type Verdict,
  WRONG,
} from './login-method.js';
import { topicPermissions } from './topic-permissions.js';
import type { WorkQueue } from './work-queue.js';

/**
 * Rejects with an `Error` whose message says why there is no answer. What is given to `whenGone`
 * gives the request up.
 */
export type PostJson = (question: object, whenGone: (stop: () => void) => void) => Promise<unknown>;

const CACHE_ENTRIES_MAX = 20_000;
const SECRET_BYTES = 32;
const LOG_AGAIN_MS = 60_000;

/** Fail closed: a client that could not be judged stays out, and may come again. */
const UNAVAILABLE: Verdict = {
  kind: 'refused',
  reasonCode: ReasonCode.ServerUnavailable,
  sentence: 'who the client is cannot be found out at the moment: try again later',
  isGuess: false,
};

function nothingToStop(): void {}

interface Remembered {
  readonly verdict: Verdict;
  readonly untilMs: number;
}

/** Asks a server about each client that no method before knows. */
export class HttpMethod implements LoginMethod {
  readonly name = 'http';
  readonly #post: PostJson;
  readonly #queue: WorkQueue;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #cacheMs: number;
  readonly #refusedCacheMs: number;
  readonly #secret = randomBytes(SECRET_BYTES);
  readonly #remembered = new BoundedMap<Remembered>(CACHE_ENTRIES_MAX);
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: {
    readonly post: PostJson;
    readonly queue: WorkQueue;
    readonly clock: Clock;
    readonly log: Logger;
    readonly cacheSeconds: number;
    readonly refusedCacheSeconds: number;
  }) {
    this.#post = parts.post;
    this.#queue = parts.queue;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#cacheMs = parts.cacheSeconds * 1000;
    this.#refusedCacheMs = parts.refusedCacheSeconds * 1000;
  }

  judge(request: AuthenticateRequest): Decision<Verdict> {
    const { userName, password, peer } = request;
    const { certificate, pskIdentity, request: upgrade } = peer;
    const shown = [userName, password, certificate, pskIdentity, upgrade?.token];
    if (shown.every((each) => each === undefined)) return NOT_MINE;
    const question = questionOf(request);
    const key = this.#keyOf(question);
    const remembered = this.#remembered.get(key);
    if (remembered !== undefined && remembered.untilMs > this.#clock.nowMs) {
      if (!hasExpired(remembered.verdict, this.#clock)) return remembered.verdict;
    }
    return this.#ask(question, key, request);
  }

  async #ask(question: object, key: string, request: AuthenticateRequest): Promise<Verdict> {
    const { isGone, whenGone, userName } = request;
    const party = { host: request.peer.host, userName };
    const asked = (): Promise<Verdict> =>
      this.#post(question, whenGone).then(
        (answer) => this.#verdict(answer, request),
        (error: Error) => (isGone() ? UNAVAILABLE : this.#unavailable(error.message)),
      );
    const verdict = await this.#queue.run(party, isGone, asked);
    whenGone(nothingToStop);
    if (verdict === undefined) return BUSY;
    const isRefusal = verdict.kind === 'refused';
    const keptMs = isRefusal ? this.#refusedCacheMs : this.#cacheMs;
    if (keptMs > 0 && !(isRefusal && !verdict.isGuess)) {
      this.#remembered.set(key, { verdict, untilMs: this.#clock.nowMs + keptMs });
    }
    return verdict;
  }

  #verdict(answer: unknown, request: AuthenticateRequest): Verdict {
    if (typeof answer !== 'object' || answer === null) return this.#unavailable('no object came');
    const said = answer as Readonly<Record<string, unknown>>;
    if (said['allow'] === 'ignore') return NOT_MINE;
    if (said['allow'] === false) return WRONG;
    if (said['allow'] !== true) return this.#unavailable('"allow" is not true, false or "ignore"');
    const identity = this.#identity(said, request);
    if (typeof identity === 'string') return this.#unavailable(identity);
    const verdict: Verdict = { kind: 'accepted', identity };
    return hasExpired(verdict, this.#clock) ? WRONG : verdict;
  }

  #identity(
    said: Readonly<Record<string, unknown>>,
    request: AuthenticateRequest,
  ): Identity | string {
    const { user_name: userName = request.userName, groups = [], expires, claims = {} } = said;
    if (userName !== undefined && typeof userName !== 'string') return '"user_name" is no text';
    if (!isListOfTexts(groups)) return '"groups" is no list of names';
    if (typeof claims !== 'object' || claims === null) return '"claims" is no object';
    if (expires !== undefined && !Number.isFinite(expires)) {
      return '"expires" is no number of seconds since 1970';
    }
    const { permissions } = said;
    const topics = permissions === undefined ? said : { acl: permissions };
    const about = topicPermissions(topics);
    if (typeof about === 'string') return about;
    return identityOf(this.name, userName, {
      groups,
      claims: claims as Record<string, unknown>,
      permissions: about,
      expiresAtMs: expires === undefined ? undefined : (expires as number) * 1000,
    });
  }

  #unavailable(reason: string): Verdict {
    const { nowMs } = this.#clock;
    if (nowMs - this.#loggedMs >= LOG_AGAIN_MS) {
      this.#loggedMs = nowMs;
      this.#log.error(
        { event: 'callout_failed', reason },
        `The server that is asked who clients are gave no answer that can be used: ${reason}`,
      );
    }
    return UNAVAILABLE;
  }

  /** Of no use to whoever reads it in memory without the secret of this process. */
  #keyOf(question: object): string {
    return createHmac('sha256', this.#secret).update(JSON.stringify(question)).digest('base64');
  }
}

function questionOf(request: AuthenticateRequest): object {
  const { clientIdentifier, userName, password, protocolVersion, peer } = request;
  const { certificate, pskIdentity, request: upgrade } = peer;
  const text =
    password !== undefined && isUtf8(password, 0, password.length)
      ? utf8Text(password, 0, password.length)
      : undefined;
  return {
    client_id: clientIdentifier,
    user_name: userName,
    password: text,
    password_base64:
      password !== undefined && text === undefined
        ? Buffer.from(password).toString('base64')
        : undefined,
    protocol_version: { 3: '3.1', 4: '3.1.1', 5: '5.0' }[protocolVersion],
    address: peer.host,
    listener: peer.listener,
    certificate: certificate && {
      common_name: certificate.commonName,
      subject_alt_names: certificate.subjectAltNames,
      fingerprint256: certificate.fingerprint256,
      subject: certificate.subject,
    },
    psk_identity: pskIdentity,
    token: upgrade?.token,
  };
}

function hasExpired(verdict: Verdict, clock: Clock): boolean {
  if (verdict.kind !== 'accepted') return false;
  const { expiresAtMs } = verdict.identity;
  return expiresAtMs !== undefined && expiresAtMs <= clock.wallMs();
}

function isListOfTexts(written: unknown): written is readonly string[] {
  return Array.isArray(written) && written.every((each) => typeof each === 'string');
}
