import type { Rate, Rates } from '../../session/rates.js';
import { count, oneOf, size } from './values.js';
import { type Entry, group, key, optional, section } from './vocabulary.js';

const COUNT_MAX = 1_000_000_000;
const BYTES_MAX = 2 ** 50;

export type RatesConfig = Omit<Rates, 'scope'>;

const rate: Entry<Rate> = section<Rate>({
  connections: optional(count(1, COUNT_MAX), 'unlimited', 'Connections a second.'),
  messages: optional(count(1, COUNT_MAX), 'unlimited', 'PUBLISH packets a second.'),
  bytes: optional(size(1, BYTES_MAX), 'unlimited', 'Bytes a second.'),
});

export const rates: Entry<RatesConfig> = section<RatesConfig>({
  client: group(rate, 'For each Client Identifier.'),
  user: group(rate, 'For each user name.'),
  address: group(rate, 'For each IP address.'),
  listener: group(rate, 'For each listener as a whole.'),
  burstSeconds: key(count(1, 3600), 2, 'What was not used in so many seconds may come at once.'),
  onExcess: key(
    oneOf('slow', 'disconnect'),
    'slow',
    'Whether who sends more messages or bytes is read later, or disconnected.',
  ),
});
