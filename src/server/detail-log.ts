import type { Logger } from '../base/log.js';
import type { Broker } from '../broker/broker.js';
import type { ClientView, SubscribeRequest } from '../broker/hooks.js';
import { reasonCodeName } from '../wire/reason-code.js';
import type { Config } from './config.js';
import type { PreparedReload, Reloadable } from './reload.js';

type Observed = Pick<Broker, 'hooks' | 'sessions'>;

/**
 * What `log_level: debug` adds: what each client asks for and what becomes of its session, never
 * what its messages hold. It joins the hooks at that level only, so otherwise it costs nothing.
 */
export class DetailLog implements Reloadable {
  readonly #broker: Observed;
  readonly #log: Logger;
  #removes: readonly (() => void)[] = [];

  constructor(broker: Observed, log: Logger, config: Config) {
    this.#broker = broker;
    this.#log = log;
    this.#set(config.logLevel === 'debug');
  }

  async prepare(next: Config): Promise<PreparedReload> {
    return { apply: () => this.#set(next.logLevel === 'debug') };
  }

  #set(isOn: boolean): void {
    if (isOn === this.#removes.length > 0) return;
    for (const remove of this.#removes) remove();
    this.#removes = isOn ? this.#join() : [];
  }

  #join(): readonly (() => void)[] {
    const { connected, subscribed, unsubscribed, refused, sessionEnded } = this.#broker.hooks;
    return [
      connected.add((client) => this.#connected(client)),
      subscribed.add((event) => this.#subscribed(event)),
      unsubscribed.add(({ client, topicFilter }) => {
        const { clientIdentifier } = client;
        this.#log.debug(
          { event: 'unsubscribed', ...fieldsOf(client), topic: topicFilter },
          `Client ${clientIdentifier} unsubscribed from ${topicFilter}`,
        );
      }),
      refused.add(({ client, reasonCode }) => {
        this.#log.debug(
          { event: 'connect_refused', ...fieldsOf(client), code: reasonCode },
          `CONNECT of ${client.clientIdentifier} is answered with ${reasonCodeName(reasonCode)}`,
        );
      }),
      sessionEnded.add(({ clientIdentifier: client }) => {
        const sentence = `the session of client ${client} has ended`;
        this.#log.debug({ event: 'session_ended', client }, sentence);
      }),
    ];
  }

  #connected(client: ClientView): void {
    const { clientIdentifier } = client;
    const session = this.#broker.sessions.get(clientIdentifier);
    const connect = session?.connection?.connect;
    if (session === undefined || connect === undefined) return;
    const { cleanStart, keepAliveSeconds, receiveMaximum, will } = connect;
    const { expirySeconds, subscriptions, outbound } = session;
    const willTopic = will === undefined ? 'no will' : `a will on ${will.topicName}`;
    this.#log.debug(
      {
        event: 'session_begun',
        ...fieldsOf(client),
        cleanStart,
        keepAliveSeconds,
        receiveMaximum,
        packetBytesMax: connect.maximumPacketSizeBytes,
        expirySeconds,
        subscriptions: subscriptions.size,
        waiting: outbound.waiting,
      },
      `Client ${clientIdentifier} asked for Keep Alive ${keepAliveSeconds} s with ${willTopic}; its ` +
        `session is kept for ${expirySeconds} s and has ${subscriptions.size} subscriptions and ` +
        `${outbound.waiting} messages waiting`,
    );
  }

  #subscribed({ client, topicFilter, options }: { client: ClientView } & SubscribeRequest): void {
    this.#log.debug(
      { event: 'subscribed', ...fieldsOf(client), topic: topicFilter, qos: options.qos },
      `Client ${client.clientIdentifier} subscribed to ${topicFilter} with QoS ${options.qos}`,
    );
  }
}

function fieldsOf({ clientIdentifier, userName, address }: ClientView): {
  client: string;
  user: string | undefined;
  address: string;
} {
  return { client: clientIdentifier, user: userName, address };
}
