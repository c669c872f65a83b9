import { type DeviceCare, defaultDeviceCare } from '../../broker/devices/device-options.js';
import {
  copyTopic,
  count,
  listenerPattern,
  oneOf,
  seconds,
  size,
  text,
  yesOrNo,
} from './values.js';
import { type Entry, group, key, list, optional, section } from './vocabulary.js';

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
  readonly patienceSeconds: number | undefined;
  readonly stepDown: boolean | undefined;
  readonly quarantine: boolean | undefined;
  readonly takeOverDamping: boolean | undefined;
  readonly stalledReaders: boolean | undefined;
}

const match: Entry<DeviceMatch> = section<DeviceMatch>({
  listener: optional(listenerPattern(), 'any', 'URL of the listener as the log has it.'),
  user: optional(
    text('a user name'),
    'any',
    'User name; `*` stands for any characters, `?` for one.',
  ),
  client: optional(
    text('a Client Identifier'),
    'any',
    'Client Identifier, with `*` and `?` as well.',
  ),
});

const device: Entry<DeviceConfig> = section<DeviceConfig>({
  match: group(match, 'Which connections are meant.'),
  inFlightMax: optional(count(1, 65_535), 'as under limits', 'QoS 1 and 2 messages in flight.'),
  packetBytesMax: optional(size(16, 268_435_455), 'what it asks for', 'Largest packet sent to it.'),
  paceBytesPerSecond: optional(size(1, 2 ** 40), 'unlimited', 'Bytes a second sent to it.'),
  onePacketPerWrite: optional(yesOrNo(), 'false', 'Whether every packet is written by itself.'),
  serverKeepAliveSeconds: optional(seconds(1, 65_535), 'its own', 'Keep Alive it is told.'),
  idleSecondsMax: optional(
    seconds(0, 4_294_967),
    '0',
    'Longest silence before it is ended, whatever its Keep Alive; 0 leaves it to that.',
  ),
  patienceSeconds: optional(
    seconds(10, 4_294_967),
    'as under device_care',
    'How long it may leave a message unacknowledged while it acknowledges later ones.',
  ),
  stepDown: optional(yesOrNo(), 'true', 'One packet at a time after drops behind bursts.'),
  quarantine: optional(yesOrNo(), 'true', 'Messages it cannot take go to the dead letters.'),
  takeOverDamping: optional(yesOrNo(), 'true', 'Two of one Client Identifier are slowed down.'),
  stalledReaders: optional(yesOrNo(), 'true', 'No QoS 0 messages while it does not read.'),
});

export const devices: Entry<readonly DeviceConfig[]> = list(device, { emptyToo: true });

export const deviceCare: Entry<DeviceCare> = section<DeviceCare>({
  deadLetterTopic: key(
    copyTopic(),
    defaultDeviceCare.deadLetterTopic,
    'Where messages go that a client cannot take; `{client}` and `{topic}` are filled in.',
  ),
  deadLetterSeconds: key(
    seconds(0, 4_294_967_295),
    defaultDeviceCare.deadLetterSeconds,
    'How long the last dead letter of a topic is retained; 0 is not at all.',
  ),
  patienceSeconds: key(
    seconds(10, 4_294_967),
    defaultDeviceCare.patienceSeconds,
    'How long a client may leave a message unacknowledged while it acknowledges later ones.',
  ),
  learnedSeconds: key(
    seconds(60, 4_294_967_295),
    defaultDeviceCare.learnedSeconds,
    'How long a learned packet size counts.',
  ),
  devicesMax: key(
    count(1, 10_000_000),
    defaultDeviceCare.devicesMax,
    'Clients whose health is remembered.',
  ),
  healthTopics: key(
    oneOf('off', 'troubled', 'all'),
    defaultDeviceCare.healthTopics,
    'Clients with a topic `$SYS/broker/clients/{client}/health`: none, those in trouble, or all.',
  ),
});
