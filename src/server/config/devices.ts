import { count, seconds, size, text, yesOrNo } from './values.js';
import { type Entry, group, list, optional, section } from './vocabulary.js';

/** Which connections are meant: all that is written must match; `*` stands for any characters. */
export interface DeviceMatch {
  readonly listener: string | undefined;
  readonly user: string | undefined;
  readonly client: string | undefined;
}

/** How small devices are treated; undefined leaves it as it is for all. */
export interface DeviceConfig {
  readonly match: DeviceMatch;
  readonly inFlightMax: number | undefined;
  readonly packetBytesMax: number | undefined;
  readonly paceBytesPerSecond: number | undefined;
  readonly onePacketPerWrite: boolean | undefined;
  readonly serverKeepAliveSeconds: number | undefined;
  readonly idleSecondsMax: number | undefined;
}

const match: Entry<DeviceMatch> = section<DeviceMatch>({
  listener: optional(text('a URL'), 'any', 'URL of the listener, as written under `listen`.'),
  user: optional(text('a user name'), 'any', 'User name.'),
  client: optional(text('a Client Identifier'), 'any', 'Client Identifier.'),
});

const device: Entry<DeviceConfig> = section<DeviceConfig>({
  match: group(match, 'Which connections are meant.'),
  inFlightMax: optional(count(1, 65_535), 'as under limits', 'QoS 1 and 2 messages in flight.'),
  packetBytesMax: optional(size(16, 268_435_455), 'what it asks for', 'Largest packet sent to it.'),
  paceBytesPerSecond: optional(size(1, 2 ** 40), 'unlimited', 'Bytes a second sent to it.'),
  onePacketPerWrite: optional(yesOrNo(), 'false', 'Whether every packet is written by itself.'),
  serverKeepAliveSeconds: optional(seconds(1, 65_535), 'its own', 'Keep Alive it is told.'),
  idleSecondsMax: optional(
    seconds(1, 4_294_967),
    'unlimited',
    'Longest silence before it is ended.',
  ),
});

export const devices: Entry<readonly DeviceConfig[]> = list(device, { emptyToo: true });
