import { BoundedMap } from '../../base/bounded-map.js';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import type { ClientView, PublishRequest, SubscribeRequest } from '../../broker/hooks.js';
import type { Decision } from '../../session/host.js';
import type { Statistics } from '../../session/statistics.js';
import { ReasonCode } from '../../wire/reason-code.js';
import { factsOf, IN_PROCESS } from './access-control.js';
import { DenialLog } from './denial-log.js';

const CACHE_ENTRIES_MAX = 20_000;
const LOG_AGAIN_MS = 60_000;
const PLACE = 'authorization.http';

interface Question {
  readonly action: 'publish' | 'subscribe';
  readonly topic: string;
}

interface Remembered {
  readonly isAllowed: boolean;
  readonly untilMs: number;
}

/**
 * Asks a server about each PUBLISH and each Topic Filter that the rules allow, and remembers what
 * it said. Fails closed. The questions of one client go one after the other.
 */
export class HttpAuthorizer {
  readonly #post: (question: object) => Promise<unknown>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #denials: DenialLog;
  readonly #cacheMs: number;
  readonly #refusedCacheMs: number;
  readonly #remembered = new BoundedMap<Remembered>(CACHE_ENTRIES_MAX);
  /** The last question that is under way, by Client Identifier. */
  readonly #lasts = new Map<string, Promise<ReasonCode>>();
  #loggedMs = Number.NEGATIVE_INFINITY;

  constructor(parts: {
    /** Rejects with an `Error` whose message says why there is no answer. */
    readonly post: (question: object) => Promise<unknown>;
    readonly clock: Clock;
    readonly log: Logger;
    readonly statistics: Statistics;
    readonly cacheSeconds: number;
    readonly refusedCacheSeconds: number;
  }) {
    this.#post = parts.post;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#denials = new DenialLog(parts.log, parts.clock, parts.statistics);
    this.#cacheMs = parts.cacheSeconds * 1000;
    this.#refusedCacheMs = parts.refusedCacheSeconds * 1000;
  }

  publish(client: ClientView, { topicName, qos, retain }: PublishRequest): Decision<ReasonCode> {
    return this.#judge(client, { action: 'publish', topic: topicName }, { qos, retain });
  }

  subscribe(client: ClientView, { topicFilter, options }: SubscribeRequest): Decision<ReasonCode> {
    return this.#judge(client, { action: 'subscribe', topic: topicFilter }, { qos: options.qos });
  }

  #judge(client: ClientView, asked: Question, how: object): Decision<ReasonCode> {
    // The program that the broker runs in asks nobody.
    if (client.listener === IN_PROCESS && client.userName === undefined) return ReasonCode.Success;
    const question = { ...asked, ...how, ...aboutClient(client) };
    const key = JSON.stringify(question);
    return this.#known(key, client, asked) ?? this.#inTurn(key, question, client, asked);
  }

  #known(key: string, client: ClientView, asked: Question): ReasonCode | undefined {
    const remembered = this.#remembered.get(key);
    if (remembered === undefined || remembered.untilMs <= this.#clock.nowMs) return undefined;
    return this.#told(remembered.isAllowed, client, asked);
  }

  #inTurn(key: string, question: object, client: ClientView, asked: Question): Promise<ReasonCode> {
    const { clientIdentifier } = client;
    const before = this.#lasts.get(clientIdentifier) ?? Promise.resolve();
    const answer = before.then(
      async () => this.#known(key, client, asked) ?? this.#ask(key, question, client, asked),
    );
    this.#lasts.set(clientIdentifier, answer);
    void answer.then(() => {
      if (this.#lasts.get(clientIdentifier) === answer) this.#lasts.delete(clientIdentifier);
    });
    return answer;
  }

  async #ask(
    key: string,
    question: object,
    client: ClientView,
    asked: Question,
  ): Promise<ReasonCode> {
    const isAllowed = await this.#post(question).then(
      (answer) => this.#verdict(answer),
      (error: Error) => this.#unavailable(error.message),
    );
    const keptMs = isAllowed === true ? this.#cacheMs : this.#refusedCacheMs;
    if (isAllowed !== undefined && keptMs > 0) {
      this.#remembered.set(key, { isAllowed, untilMs: this.#clock.nowMs + keptMs });
    }
    return this.#told(isAllowed === true, client, asked);
  }

  /** Undefined where there is none: that is not remembered. */
  #verdict(answer: unknown): boolean | undefined {
    const said = answer as { readonly allow?: unknown } | null;
    if (typeof said?.allow === 'boolean') return said.allow;
    return this.#unavailable('"allow" is neither true nor false');
  }

  #told(isAllowed: boolean, client: ClientView, { action, topic }: Question): ReasonCode {
    if (isAllowed) return ReasonCode.Success;
    const reason = { place: PLACE, text: 'the server that is asked does not allow it' };
    this.#denials.denied(factsOf(client), action, topic, () => reason);
    return ReasonCode.NotAuthorized;
  }

  #unavailable(reason: string): undefined {
    const { nowMs } = this.#clock;
    if (nowMs - this.#loggedMs < LOG_AGAIN_MS) return;
    this.#loggedMs = nowMs;
    this.#log.error(
      { event: 'callout_failed', reason },
      `The server that is asked what clients may do gave no answer that can be used: ${reason}`,
    );
  }
}

function aboutClient(client: ClientView): object {
  const { userName, clientIdentifier, groups, host, listener } = factsOf(client);
  return {
    client_id: clientIdentifier,
    user_name: userName,
    groups,
    address: host,
    listener,
  };
}
