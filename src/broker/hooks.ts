import type { Logger } from '../base/log.js';
import type { Drop } from '../session/drops.js';
import type { Decision, DisconnectCause } from '../session/host.js';
import type { Identity } from '../session/identity.js';
import type { ListenerPolicy } from '../session/limits.js';
import type { Peer } from '../session/network-connection.js';
import type {
  ProtocolVersion,
  QoS,
  SubscriptionOptions,
  UserProperty,
} from '../wire/control-packet.js';
import { isFailure, ReasonCode } from '../wire/reason-code.js';

export type { Identity, Permission } from '../session/identity.js';

/** A client as hooks see it. */
export interface ClientView {
  readonly clientIdentifier: string;
  readonly userName: string | undefined;
  readonly protocolVersion: ProtocolVersion;
  readonly address: string;
  readonly listener: string;
  /** As an authentication method found out; undefined before that, and where none was asked. */
  readonly identity?: Identity | undefined;
}

export interface AuthenticateRequest extends ClientView {
  readonly password: Uint8Array | undefined;
  readonly userProperties: readonly UserProperty[];
  /** What the listener learned, such as a client certificate. */
  readonly peer: Peer;
  readonly policy: ListenerPolicy;
  /** Whether the client has gone meanwhile: then no answer is needed any more. */
  readonly isGone: () => boolean;
  /** Calls the function when it goes, in place of one that was given before. */
  readonly whenGone: (stop: () => void) => void;
}

/**
 * A refusal of CONNECT with more than its Reason Code; 0x9C and 0x9D come with a Server Reference.
 */
export interface ConnectRefusal {
  readonly reasonCode: ReasonCode;
  /** Where to go instead, such as `other.example:1883` (5.0, section 4.11). */
  readonly serverReference?: string;
  /** In plain words, for the client and the log. */
  readonly reasonString?: string;
  /** One of many that the log already tells of: its own line is for `debug` alone. */
  readonly isRepeated?: boolean;
}

/** Who the client is. Later functions are still asked; the last acceptance counts. */
export interface Acceptance {
  readonly reasonCode: typeof ReasonCode.Success;
  readonly identity: Identity;
}

export interface PublishRequest {
  readonly topicName: string;
  readonly qos: QoS;
  readonly retain: boolean;
}

export interface SubscribeRequest {
  readonly topicFilter: string;
  readonly options: SubscriptionOptions;
}

/** A message on its way in, as `change.publish` functions may rewrite it. */
export interface IncomingMessage extends PublishRequest {
  readonly payload: Uint8Array;
}

type Remove = () => void;

/**
 * Common to the three kinds: `empty` is what the path asks first, so that an absent hook costs
 * nothing.
 */
class HookPoint<F> {
  /** Replaced, never changed: a hook may remove itself while it runs. */
  protected functions: readonly F[] = [];
  empty = true;

  /** Returns the function that removes it again. */
  add(hook: F): Remove {
    this.functions = [...this.functions, hook];
    this.empty = false;
    return () => {
      const at = this.functions.indexOf(hook);
      if (at >= 0) this.functions = this.functions.toSpliced(at, 1);
      this.empty = this.functions.length === 0;
    };
  }
}

type DecideFunction<A, R> = (client: ClientView, request: A) => Decision<R | ReasonCode>;

/**
 * Asked in order; the first refusal (a reason code of 0x80 and above) decides. What a hook throws
 * is a rejected promise: the request fails, the broker does not.
 */
export class DecidePoint<
  A,
  R extends { readonly reasonCode: ReasonCode } = never,
> extends HookPoint<DecideFunction<A, R>> {
  run(client: ClientView, request: A): Decision<R | ReasonCode> {
    try {
      return this.#from(this.functions, client, request, ReasonCode.Success);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #from(
    functions: readonly DecideFunction<A, R>[],
    client: ClientView,
    request: A,
    before: R | ReasonCode,
  ): Decision<R | ReasonCode> {
    let accepted = before;
    for (let i = 0; i < functions.length; i++) {
      const decision = functions[i]!(client, request);
      if (decision instanceof Promise) {
        const others = functions.slice(i + 1);
        const soFar = accepted;
        return decision.then((answer) => {
          if (isRefusal(answer)) return answer;
          const next = typeof answer === 'number' ? soFar : answer;
          return this.#from(others, client, request, next);
        });
      }
      if (isRefusal(decision)) return decision;
      if (typeof decision !== 'number') accepted = decision;
    }
    return accepted;
  }
}

function isRefusal(answer: ReasonCode | { readonly reasonCode: ReasonCode }): boolean {
  return isFailure(typeof answer === 'number' ? answer : answer.reasonCode);
}

type ChangeFunction<A> = (client: ClientView, value: A) => A | ReasonCode;

/**
 * Each gets what the one before returned; a reason code instead of a value refuses. One that throws
 * refuses too, and the log has why.
 */
export class ChangePoint<A extends object> extends HookPoint<ChangeFunction<A>> {
  readonly #log: Logger;

  constructor(log: Logger) {
    super();
    this.#log = log;
  }

  run(client: ClientView, value: A): A | ReasonCode {
    let current = value;
    for (const change of this.functions) {
      let next: A | ReasonCode;
      try {
        next = change(client, current);
      } catch (error) {
        const reason = String(error);
        this.#log.error({ event: 'hook_failed', reason }, `A changing hook threw: ${reason}`);
        return ReasonCode.UnspecifiedError;
      }
      if (typeof next === 'number') return next;
      current = next;
    }
    return current;
  }
}

type WatchFunction<A> = (event: A) => void;

/** Told afterwards. What a watcher throws is logged and changes nothing. */
export class WatchPoint<A> extends HookPoint<WatchFunction<A>> {
  readonly #log: Logger;

  constructor(log: Logger) {
    super();
    this.#log = log;
  }

  run(event: A): void {
    for (const watch of this.functions) {
      try {
        watch(event);
      } catch (error) {
        const reason = String(error);
        this.#log.error({ event: 'hook_failed', reason }, `A watching hook threw: ${reason}`);
      }
    }
  }
}

/** Every place where other code joins the broker. Storage is not one of them. */
export class Hooks {
  /**
   * Who may connect. With none, everybody may: the server's listeners decide where that is safe.
   */
  readonly authenticate: DecidePoint<AuthenticateRequest, ConnectRefusal | Acceptance> =
    new DecidePoint();
  readonly authorizePublish: DecidePoint<PublishRequest> = new DecidePoint();
  readonly authorizeSubscribe: DecidePoint<SubscribeRequest> = new DecidePoint();
  readonly changePublish: ChangePoint<IncomingMessage>;
  readonly changeSubscribe: ChangePoint<SubscribeRequest>;
  readonly connected: WatchPoint<ClientView>;
  /** What a client came in with expires soon: it may renew it by AUTH. */
  readonly expiring: WatchPoint<{ readonly client: ClientView; readonly expiresAtMs: number }>;
  readonly disconnected: WatchPoint<{
    readonly client: ClientView;
    readonly cause: DisconnectCause;
  }>;
  readonly refused: WatchPoint<{ readonly client: ClientView; readonly reasonCode: ReasonCode }>;
  readonly subscribed: WatchPoint<{ readonly client: ClientView } & SubscribeRequest>;
  readonly unsubscribed: WatchPoint<{ readonly client: ClientView; readonly topicFilter: string }>;
  readonly published: WatchPoint<{ readonly clientIdentifier: string } & IncomingMessage>;
  readonly dropped: WatchPoint<Drop>;
  readonly sessionEnded: WatchPoint<{ readonly clientIdentifier: string }>;

  constructor(log: Logger) {
    this.changePublish = new ChangePoint(log);
    this.changeSubscribe = new ChangePoint(log);
    this.connected = new WatchPoint(log);
    this.expiring = new WatchPoint(log);
    this.disconnected = new WatchPoint(log);
    this.refused = new WatchPoint(log);
    this.subscribed = new WatchPoint(log);
    this.unsubscribed = new WatchPoint(log);
    this.published = new WatchPoint(log);
    this.dropped = new WatchPoint(log);
    this.sessionEnded = new WatchPoint(log);
  }
}
