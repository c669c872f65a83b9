import { count, size } from './values.js';
import { type Entry, group, optional, section } from './vocabulary.js';

const COUNT_MAX = 1_000_000_000;
const BYTES_MAX = 2 ** 50;

/** What may come in a second; undefined is unlimited. */
export interface RateConfig {
  readonly connections: number | undefined;
  readonly messages: number | undefined;
  readonly bytes: number | undefined;
}

export interface RatesConfig {
  readonly client: RateConfig;
  readonly user: RateConfig;
  readonly address: RateConfig;
  readonly listener: RateConfig;
}

const rate: Entry<RateConfig> = section<RateConfig>({
  connections: optional(count(1, COUNT_MAX), 'unlimited', 'Connections a second.'),
  messages: optional(count(1, COUNT_MAX), 'unlimited', 'PUBLISH packets a second.'),
  bytes: optional(size(1, BYTES_MAX), 'unlimited', 'Bytes a second.'),
});

export const rates: Entry<RatesConfig> = section<RatesConfig>({
  client: group(rate, 'For each Client Identifier.'),
  user: group(rate, 'For each user name.'),
  address: group(rate, 'For each IP address.'),
  listener: group(rate, 'For each listener as a whole.'),
});
