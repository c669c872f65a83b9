import type { Connection } from '../session/connection.js';
import type { Decision } from '../session/host.js';
import type { Auth, Connect } from '../wire/control-packet.js';
import { ReasonCode } from '../wire/reason-code.js';
import type {
  AuthenticationExchange,
  AuthenticationMethod,
  AuthenticationStep,
} from './authentication.js';
import { clientView, entryOf, identify } from './client-view.js';
import type { ConnectPath } from './connect-path.js';

/** Exchanges of AUTH packets in CONNECT and, later, in re-authentication (5.0, section 4.12). */
export class EnhancedAuthentication {
  readonly #methods = new Map<string, AuthenticationMethod>();
  readonly #exchanges = new WeakMap<Connection, AuthenticationExchange>();
  readonly #connectPath: ConnectPath;

  constructor(connectPath: ConnectPath) {
    this.#connectPath = connectPath;
  }

  add(method: AuthenticationMethod): void {
    this.#methods.set(method.name, method);
  }

  /** CONNECT named a method. */
  begin(connection: Connection, connect: Connect): void {
    const method = this.#methods.get(connect.authenticationMethod!);
    if (method === undefined) {
      this.#connectPath.refuse(connection, {
        reasonCode: ReasonCode.BadAuthenticationMethod, // [MQTT-4.12.0-1]
        sentence: `this server does not know the Authentication Method ${connect.authenticationMethod}`,
      });
      return;
    }
    this.#step(connection, method, connect.authenticationData, connect);
  }

  /** AUTH from the client: the next turn, or the first of a re-authentication. */
  continue(connection: Connection, auth: Auth): void {
    const connect = connection.connect!;
    const method = this.#methods.get(connect.authenticationMethod!)!;
    if (auth.reasonCode === ReasonCode.ReAuthenticate) this.#exchanges.delete(connection);
    this.#step(connection, method, auth.authenticationData, connect);
  }

  #step(
    connection: Connection,
    method: AuthenticationMethod,
    data: Uint8Array | undefined,
    connect: Connect,
  ): void {
    let exchange = this.#exchanges.get(connection);
    if (exchange === undefined) {
      exchange = method.begin(clientView(connection), entryOf(connection));
      this.#exchanges.set(connection, exchange);
    }
    connection.decide(stepOf(exchange, data), (step) =>
      this.#settle(connection, method, step, connect),
    );
  }

  #settle(
    connection: Connection,
    method: AuthenticationMethod,
    step: AuthenticationStep,
    connect: Connect,
  ): void {
    const authenticationMethod = method.name; // [MQTT-4.12.0-5]
    switch (step.kind) {
      case 'challenge':
        connection.challenge({
          reasonCode: ReasonCode.ContinueAuthentication, // [MQTT-4.12.0-2]
          authenticationMethod,
          authenticationData: step.data,
        });
        return;
      case 'success':
        this.#exchanges.delete(connection);
        this.#succeeded(connection, connect, step, {
          authenticationMethod,
          authenticationData: step.data,
        });
        return;
      case 'refusal':
        this.#exchanges.delete(connection);
        if (connection.isConnected) {
          connection.disconnect({ ...step, kind: 'authentication' }); // [MQTT-4.12.1-2]
        } else this.#connectPath.refuse(connection, step);
    }
  }

  #succeeded(
    connection: Connection,
    connect: Connect,
    step: AuthenticationStep & { readonly kind: 'success' },
    answer: Pick<Auth, 'authenticationMethod' | 'authenticationData'>,
  ): void {
    const { identity } = step;
    const userName = identity === undefined ? step.userName : identity.userName;
    if (connection.isConnected && isSomebodyElse(connection, userName)) {
      connection.disconnect({
        kind: 'authentication',
        reasonCode: ReasonCode.NotAuthorized,
        sentence: 're-authentication may not change the user: connect anew instead',
      });
      return;
    }
    if (identity === undefined) connection.userName = userName ?? connection.userName;
    else identify(connection, identity);
    if (connection.isConnected) {
      this.#connectPath.expiry.watch(connection);
      this.#connectPath.access.identified(connection);
      connection.challenge({ reasonCode: ReasonCode.Success, ...answer });
    } else this.#connectPath.enter(connection, connect, answer);
  }
}

/** What an exchange throws ends the connection, as a rejected promise does, and not the broker. */
function stepOf(
  exchange: AuthenticationExchange,
  data: Uint8Array | undefined,
): Decision<AuthenticationStep> {
  try {
    return exchange.step(data);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** What the client was allowed, such as its subscriptions, it was allowed as the user it was. */
function isSomebodyElse(connection: Connection, userName: string | undefined): boolean {
  return userName !== undefined && userName !== connection.userName;
}
