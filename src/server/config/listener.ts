import { type Limits, type ListenerLimits, listenerLimitNames } from '../../session/limits.js';
import type { ListenAddress } from '../../transport/listener.js';
import type { TlsOptions } from '../../transport/tls-options.js';
import {
  type AuthenticationMethodName,
  authenticationMethods,
  type GuessingConfig,
  guessing,
} from './authentication.js';
import { limits } from './limits.js';
import { type RatesConfig, rates } from './rates.js';
import { tls } from './tls.js';
import {
  fileMode,
  listenUrl,
  network,
  oneOf,
  protocolVersion,
  text,
  topicPrefix,
  yesOrNo,
} from './values.js';
import {
  type Entry,
  group,
  key,
  list,
  optional,
  overrides,
  required,
  section,
} from './vocabulary.js';

/** Limits that a listener may have of its own. */
type OwnLimits = ListenerLimits & Pick<Limits, 'connectionsMax'>;

type OwnGuessing = Pick<GuessingConfig, 'freeAttempts' | 'delaySecondsMax'>;

const OWN_LIMITS: readonly (keyof OwnLimits)[] = ['connectionsMax', ...listenerLimitNames];

export interface ProxyProtocolConfig {
  readonly trusted: readonly string[];
}

export interface ListenConfig {
  readonly url: ListenAddress;
  readonly lenientReceiveMaximum: boolean;
  readonly versions: readonly (3 | 4 | 5)[];
  readonly origins: readonly string[] | undefined;
  readonly allowAnonymous: boolean | undefined;
  readonly authentication: readonly AuthenticationMethodName[] | undefined;
  readonly guessing: Partial<OwnGuessing>;
  readonly limits: Partial<OwnLimits>;
  readonly rates: RatesConfig | undefined;
  readonly tls: TlsOptions | undefined;
  readonly proxyProtocol: ProxyProtocolConfig | undefined;
  readonly trustedProxies: readonly string[];
  readonly statusPage: boolean;
  readonly socketMode: number | undefined;
  readonly mountPoint: string | undefined;
}

const proxyProtocol: Entry<ProxyProtocolConfig> = section<ProxyProtocolConfig>({
  trusted: required(list(network()), 'Networks of the proxies that are believed.'),
});

export const listener: Entry<ListenConfig> = section<ListenConfig>(
  {
    url: required(listenUrl(), 'The address, as in `--listen`.'),
    lenientReceiveMaximum: key(
      yesOrNo(),
      false,
      'Tolerates 5.0 clients that exceed Receive Maximum instead of ending them with 0x93.',
    ),
    versions: key(
      list(protocolVersion()),
      ['3.1', '3.1.1', '5.0'],
      'Protocol versions let in; others are refused with 0x84 or its 3.1.1 equivalent.',
    ),
    origins: optional(
      list(text('an origin such as https://example.org')),
      'all',
      '`Origin` headers let in (WebSocket alone); clients that send none, as programs do, always are.',
    ),
    allowAnonymous: optional(
      yesOrNo(),
      'the top-level key',
      'Whether clients are let in here without saying who they are.',
    ),
    authentication: optional(
      list(oneOf(...authenticationMethods)),
      'all, in order',
      'Which of the methods under `authentication` are asked here, in which order.',
    ),
    guessing: group(
      overrides<OwnGuessing>(
        guessing,
        ['freeAttempts', 'delaySecondsMax'],
        'as under authentication',
      ),
      'How guessing is slowed down here.',
    ),
    limits: group(
      overrides<OwnLimits>(limits, OWN_LIMITS, 'as under limits'),
      'Limits for this listener in place of the common ones.',
    ),
    rates: optional(
      rates,
      'the common ones',
      'Rates for this listener in place of the common ones.',
    ),
    tls: optional(tls, 'off', 'Certificates and keys of `mqtts` and `wss`.'),
    proxyProtocol: optional(
      proxyProtocol,
      'off',
      'Reads the PROXY protocol, by which a proxy in front names the client.',
    ),
    trustedProxies: key(
      list(network(), { emptyToo: true }),
      [],
      'Networks of the proxies whose `X-Forwarded-For` is believed (WebSocket alone).',
    ),
    statusPage: key(
      yesOrNo(),
      false,
      'Answers `/status` and `/status.json` (WebSocket alone) for users who may subscribe to `$SYS/#`.',
    ),
    socketMode: optional(
      fileMode(),
      "what the process's umask leaves",
      'Who may connect to a Unix domain socket, such as `0660` (`unix:` alone).',
    ),
    mountPoint: optional(
      topicPrefix(),
      'none',
      'Put before every topic of the clients that come through here.',
    ),
  },
  { short: 'url' },
);
