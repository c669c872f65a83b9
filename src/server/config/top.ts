import type { DeviceCare } from '../../broker/devices/device-options.js';
import type { Limits } from '../../session/limits.js';
import type { ShareStrategy } from '../../topic/shared-subscription.js';
import { type AcmeConfig, acme } from './acme.js';
import { type AuthenticationConfig, authentication } from './authentication.js';
import { type AuthorizationConfig, authorization } from './authorization.js';
import { type DeviceConfig, deviceCare, devices } from './devices.js';
import { limits } from './limits.js';
import { type ListenConfig, listener } from './listener.js';
import { type RatesConfig, rates } from './rates.js';
import { oneOf, path, text, yesOrNo } from './values.js';
import { type Entry, group, key, list, optional, section } from './vocabulary.js';

export type Durability = 'power' | 'process' | 'memory';
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export type LogFormat = 'auto' | 'human' | 'json';

export interface Config {
  readonly listen: readonly ListenConfig[];
  readonly data: string;
  readonly inMemory: boolean;
  readonly durability: Durability;
  readonly allowAnonymous: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Which member of a Shared Subscription gets a message. */
  readonly sharingStrategy: ShareStrategy;
  /** The name under which the local network is told of the broker; undefined tells nobody. */
  readonly mdnsName: string | undefined;
  readonly acme: AcmeConfig | undefined;
  readonly authentication: AuthenticationConfig;
  readonly authorization: AuthorizationConfig;
  readonly rates: RatesConfig;
  readonly devices: readonly DeviceConfig[];
  readonly deviceCare: DeviceCare;
  readonly limits: Limits;
}

export const top: Entry<Config> = section<Config>({
  listen: key(
    list(listener, { emptyToo: true }),
    [],
    'Addresses: URLs, or the keys of a listener below.',
    '`mqtt://127.0.0.1:1883`, `ws://127.0.0.1:8080/mqtt`',
  ),
  data: key(path('a folder'), './dunlin-data', 'The folder for what survives a restart.'),
  inMemory: key(yesOrNo(), false, 'Keeps nothing on disk.'),
  durability: key(
    oneOf('power', 'process', 'memory'),
    'power',
    'What an acknowledgement promises.',
  ),
  allowAnonymous: key(yesOrNo(), false, 'Allows listening where other machines can reach it.'),
  logLevel: key(
    oneOf('debug', 'info', 'warn', 'error', 'silent'),
    'info',
    'The least severe lines that are written.',
  ),
  logFormat: key(oneOf('auto', 'human', 'json'), 'auto', 'How they are written.'),
  sharingStrategy: key(
    oneOf('round-robin', 'random', 'sticky', 'least-inflight', 'hash-client', 'hash-topic'),
    'round-robin',
    'Which member of a Shared Subscription gets a message.',
  ),
  mdnsName: optional(
    text('a name'),
    'not announced',
    'Announces the broker to the local network by mDNS (`_mqtt._tcp`, `_secure-mqtt._tcp`).',
  ),
  acme: optional(
    acme,
    'off',
    'A certificate from a public authority, ordered and renewed by itself.',
  ),
  authentication: group(authentication, 'How clients show who they are.'),
  authorization: group(authorization, 'Who may publish and subscribe to what.'),
  rates: group(rates, 'What may come in a second.'),
  devices: key(
    devices,
    [],
    'How small devices are treated; the first entry that matches and has a key decides it.',
  ),
  deviceCare: group(deviceCare, 'What holds for all devices.'),
  limits: group(limits, 'Bounds of the whole broker.'),
});
