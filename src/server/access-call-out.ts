import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Broker } from '../broker/broker.js';
import { HttpAuthorizer } from '../extensions/access-control/http-authorizer.js';
import type { CallOutConfig } from './config/call-out.js';
import type { Config } from './config.js';
import type { HttpPost } from './http-post.js';

export interface AccessCallOutParts {
  readonly broker: Pick<Broker, 'hooks' | 'statistics'>;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Joins the server of `authorization.http`, where there is one, to the broker's hooks. */
export class AccessCallOut {
  readonly #parts: AccessCallOutParts;
  #written: string | undefined = undefined;
  #post: Promise<HttpPost> | undefined = undefined;
  #remove: () => void = () => {};

  constructor(parts: AccessCallOutParts) {
    this.#parts = parts;
  }

  close(): void {
    void this.#post?.then((post) => post.close());
  }

  /** What it remembers stays where nothing of it was changed. */
  use({ authorization: { http } }: Config): void {
    const written = http && JSON.stringify(http);
    if (written === this.#written) return;
    this.#written = written;
    this.#remove();
    this.close();
    this.#post = undefined;
    this.#remove = http === undefined ? () => {} : this.#join(http);
  }

  #join(http: CallOutConfig): () => void {
    const { broker, log, clock } = this.#parts;
    const { hooks, statistics } = broker;
    // Loaded only where there is such a server.
    const post = import('./http-post.js').then(({ HttpPost }) => new HttpPost(http));
    this.#post = post;
    const authorizer = new HttpAuthorizer({
      log,
      clock,
      statistics,
      cacheSeconds: http.cacheSeconds,
      refusedCacheSeconds: http.refusedCacheSeconds,
      post: async (question) => (await post).post(question),
    });
    const removals = [
      hooks.authorizePublish.add((client, request) => authorizer.publish(client, request)),
      hooks.authorizeSubscribe.add((client, request) => authorizer.subscribe(client, request)),
    ];
    return () => {
      for (const remove of removals) remove();
    };
  }
}
