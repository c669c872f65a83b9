import { type Logger, silentLogger } from './base/log.js';
import type { DeviceCare, DeviceRule } from './broker/devices/device-options.js';
import { type RunningBroker as ComposedBroker, compose } from './server/compose.js';
import type {
  AuthenticationConfig,
  AuthenticationMethodName,
} from './server/config/authentication.js';
import type { AuthorizationConfig, RuleConfig } from './server/config/authorization.js';
import { openDoors } from './server/config/doors.js';
import type { RatesConfig } from './server/config/rates.js';
import { type Config, type Durability, parseConfig } from './server/config.js';
import { ExitCode, StartError } from './server/exit-code.js';
import type { Limits, ListenerLimits } from './session/limits.js';
import type { ShareStrategy } from './topic/shared-subscription.js';
import type { TlsOptions } from './transport/tls-options.js';

export type { LogFields, Logger } from './base/log.js';
export type {
  AuthenticationExchange,
  AuthenticationMethod,
  AuthenticationStep,
  Entry,
} from './broker/authentication.js';
export type { DeviceCare, DeviceRule } from './broker/devices/device-options.js';
export type { DeviceHealth } from './broker/devices/health.js';
export type {
  Acceptance,
  AuthenticateRequest,
  ClientView,
  ConnectRefusal,
  Hooks,
  Identity,
  Permission,
} from './broker/hooks.js';
export { hashPassword } from './extensions/authentication/password-hash.js';
export type { LocalClient, LocalClientEnd } from './extensions/local-client/local-client.js';
export { LocalClientError } from './extensions/local-client/local-client-error.js';
export type { LocalMessage } from './extensions/local-client/local-message.js';
export type { LocalSubscription } from './extensions/local-client/local-subscription.js';
export type {
  LocalClientOptions,
  LocalPublishOptions,
  LocalSubscribeOptions,
  LocalWill,
} from './extensions/local-client/options.js';
export {
  type ScramCredentialOptions,
  type ScramCredentials,
  scramCredentials,
} from './extensions/scram/credentials.js';
export { type ScramOptions, scramSha256 } from './extensions/scram/scram-sha-256.js';
export type { Durability } from './server/config.js';
export { StartError } from './server/exit-code.js';
export type { Limits, ListenerLimits } from './session/limits.js';
export type { NamedCertificate, TlsOptions } from './transport/tls-options.js';
export { ReasonCode } from './wire/reason-code.js';

/** Passwords, tokens and so on; what is left out has its default. */
export type AuthenticationOptions = Options<AuthenticationConfig>;

/** Who may do what with which topics; a rule is one line, or has its parts as keys. */
export type AuthorizationOptions = Omit<Options<AuthorizationConfig>, 'rules'> & {
  readonly rules?: readonly (string | RuleConfig)[];
};

/** What may come in a second; what is left out is unlimited. */
export type RateOptions = Options<RatesConfig>;

type Options<T> = {
  readonly [K in keyof T]?: T[K] extends readonly (infer I)[] | undefined
    ? readonly Options<I>[]
    : T[K] extends object | undefined
      ? Options<T[K]>
      : T[K];
};

export interface ListenOptions {
  /** Such as `mqtts://host:port`, `ws://host:port/path`, `unix:/path`; port 0 is any. */
  readonly url: string;
  /** Tolerates clients that send more unacknowledged messages than Receive Maximum allows. */
  readonly lenientReceiveMaximum?: boolean;
  /** Protocol versions accepted here: `3.1`, `3.1.1`, `5.0`. All of them by default. */
  readonly versions?: readonly ('3.1' | '3.1.1' | '5.0')[];
  /** Origins of web pages that may connect; all of them by default. */
  readonly origins?: readonly string[];
  /** Needed for `mqtts` and `wss`: files in PEM, which are read again when they change. */
  readonly tls?: Partial<TlsOptions>;
  /** Reads the PROXY protocol, version 1 or 2, from these networks and lets nobody else in. */
  readonly proxyProtocol?: { readonly trusted: readonly string[] };
  /** Networks of proxies whose `X-Forwarded-For` is believed (WebSocket alone). */
  readonly trustedProxies?: readonly string[];
  /** Answers `/status` and `/status.json`, on WebSocket listeners. */
  readonly statusPage?: boolean;
  /** Rights of a Unix domain socket in octal digits, such as `0660`. */
  readonly socketMode?: string;
  /** Whether clients that show nothing are let in here; as for the broker by default. */
  readonly allowAnonymous?: boolean;
  /** Which methods are asked here, in which order; all that are set up by default. */
  readonly authentication?: readonly AuthenticationMethodName[];
  /** How late wrong credentials are answered here; as for the broker by default. */
  readonly guessing?: { readonly freeAttempts?: number; readonly delaySecondsMax?: number };
  /** In place of those of the broker, for clients that come through here. */
  readonly limits?: Partial<ListenerLimits & Pick<Limits, 'connectionsMax'>>;
  /** In place of those of the broker, for clients that come through here. */
  readonly rates?: RateOptions;
  /** Put before every topic of the clients that come through here, such as `site1/`. */
  readonly mountPoint?: string;
}

export interface BrokerOptions {
  /** Where to listen; nowhere by default. */
  readonly listen?: readonly (string | ListenOptions)[];
  /** The folder for what must survive a restart. Without it everything is kept in memory. */
  readonly data?: string;
  readonly inMemory?: boolean;
  /** What an acknowledgement promises: `power` by default where there is a data folder. */
  readonly durability?: Durability;
  /** Needed to listen where other machines can reach it. */
  readonly allowAnonymous?: boolean;
  /** How clients show who they are: the settings of the configuration file, in camel case. */
  readonly authentication?: AuthenticationOptions;
  /** Who may publish and subscribe to what; beside these rules there are the hooks. */
  readonly authorization?: AuthorizationOptions;
  /** What may come in a second. */
  readonly rates?: RateOptions;
  /** Which member of a Shared Subscription gets a message; `round-robin` by default. */
  readonly sharingStrategy?: ShareStrategy;
  readonly limits?: Partial<Limits>;
  /** How small devices are treated: see docs/devices.md. */
  readonly devices?: readonly DeviceRule[];
  readonly deviceCare?: Partial<DeviceCare>;
  /** Silent by default. */
  readonly log?: Logger;
}

export interface RunningBroker extends Omit<ComposedBroker, 'reload'> {
  /**
   * Takes other options while clients stay; rejects with a `StartError` and changes nothing
   * where any of them cannot be used. Resolves with sentences on what needs a restart.
   */
  reload(options: BrokerOptions): Promise<readonly string[]>;
}

/**
 * Starts a broker inside this process. Rejects with a `StartError` whose sentences say what to do.
 */
export async function createBroker(options: BrokerOptions = {}): Promise<RunningBroker> {
  const broker = await compose(configOf(options), options.log ?? silentLogger);
  return { ...broker, reload: async (next) => broker.reload(configOf(next)) };
}

function configOf(options: BrokerOptions): Config {
  const { log: _, listen = [], authorization, ...rest } = options;
  const rules = authorization?.rules?.map((rule) => (typeof rule === 'string' ? { rule } : rule));
  const config = parseConfig({
    ...rest,
    ...(authorization === undefined ? {} : { authorization: { ...authorization, rules } }),
    listen: listen.map((item) => (typeof item === 'string' ? { url: item } : item)),
    inMemory: options.inMemory ?? options.data === undefined,
  });
  if (!('listen' in config)) {
    const sentences = config.map(({ path, expectation }) => `${path.join('.')}: ${expectation}`);
    throw new StartError(ExitCode.Usage, sentences);
  }
  const doors = openDoors(config);
  if (doors.length > 0) throw new StartError(ExitCode.Usage, doors);
  return config;
}
