import type { HttpHandler } from '../transport/websocket-listener.js';

/** Who answers plain HTTP requests on WebSocket listeners; the first who wants to does. */
export class HttpHandlers {
  #handlers: readonly HttpHandler[] = [];

  add(handler: HttpHandler): () => void {
    this.#handlers = [...this.#handlers, handler];
    return () => {
      this.#handlers = this.#handlers.filter((one) => one !== handler);
    };
  }

  readonly handle: HttpHandler = (request, response, peer) =>
    this.#handlers.some((handler) => handler(request, response, peer));
}
