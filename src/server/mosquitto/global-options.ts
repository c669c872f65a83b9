import { join } from 'node:path';
import type { Directive } from './directives.js';
import type { Draft } from './draft.js';
import { isYes, needless, number, type Option, same, without, withoutUnless } from './option.js';

const UINT16_MAX = 65_535;
const COUNT_MAX = 1_000_000_000;
const BYTES_MAX = 2 ** 50;
/** What a PUBLISH has beside its payload, at most: Topic Name, identifier, Fixed Header. */
const HEAD_BYTES_MAX = 65_535 + 2 + 2 + 5;
const PACKET_BYTES_MIN = 1024;
const PACKET_BYTES_MAX = 268_435_455;

const HOURS: Readonly<Record<string, number>> = { h: 1, d: 24, w: 168, m: 730, y: 8766 };

/** Lines that mean the whole broker, wherever they stand. */
export const globalOptions: ReadonlyMap<string, Option> = new Map<string, Option>([
  ['allow_duplicate_messages', needless],
  ['autosave_interval', needless],
  ['autosave_on_changes', needless],
  [
    'check_retain_source',
    withoutUnless('true', 'who retained a message is checked when it is published, once'),
  ],
  ['clientid_prefixes', clientIdentifierPrefix],
  ['connection_messages', withoutUnless('true', 'connections are always logged, at level info')],
  ['global_max_clients', number(-1, COUNT_MAX, same)('limits', 'sessionsMax')],
  ['global_max_connections', number(-1, COUNT_MAX, same)('limits', 'connectionsMax')],
  ['log_dest', logDestination],
  ['log_facility', without('the log goes to standard output, which systemd and containers keep')],
  ['log_timestamp', needless],
  ['log_timestamp_format', without('times are written in ISO 8601')],
  ['log_type', logType],
  ['max_inflight_bytes', withoutUnless('0', 'only the number in flight has a limit')],
  ['max_inflight_messages', maxInFlight],
  ['max_keepalive', same('limits', 'keepAliveSecondsMax')],
  ['max_packet_size', maxPacketSize],
  ['max_queued_bytes', number(0, BYTES_MAX, same)('limits', 'queuedBytesMax')],
  ['max_queued_messages', number(0, COUNT_MAX, same)('limits', 'queuedMessagesMax')],
  ['memory_limit', withoutUnless('0', 'each queue has a limit of its own instead')],
  ['message_size_limit', messageSizeLimit],
  ['per_listener_settings', perListenerSettings],
  ['persistence', persistence],
  [
    'persistence_file',
    without('a mosquitto.db is not read; docs/mosquitto.md tells how retained messages come over'),
  ],
  ['persistence_location', persistenceLocation],
  ['persistent_client_expiration', persistentClientExpiration],
  ['pid_file', without('there is none: systemd and containers know the process')],
  ['queue_qos0_messages', same('limits', 'queueQoS0')],
  ['retain_available', same('limits', 'retainAvailable')],
  // How often Mosquitto looks for expired ones; here they are gone at once.
  ['retain_expiry_interval', needless],
  ['set_tcp_nodelay', needless],
  [
    'sys_interval',
    withoutUnless(
      '0',
      'counters are no topics under $SYS here: status_page, /readyz and the log tell how it does',
    ),
  ],
  [
    'upgrade_outgoing_qos',
    withoutUnless('false', 'a message is never delivered at a higher QoS than it was published at'),
  ],
  ['user', without('start the broker as the user it should run as')],
  ['websockets_log_level', needless],
]);

function clientIdentifierPrefix(draft: Draft, directive: Directive): void {
  draft.set(['limits', 'clientIdentifierPrefixes'], [directive.value], directive);
}

function maxPacketSize(draft: Draft, directive: Directive): void {
  const bytes = Number(directive.value);
  if (bytes > 0 && bytes < PACKET_BYTES_MIN) {
    draft.note(directive, `the least limit is ${PACKET_BYTES_MIN} bytes, which is taken`);
  }
  const limit = bytes === 0 ? PACKET_BYTES_MAX : Math.max(bytes, PACKET_BYTES_MIN);
  const value = Number.isNaN(bytes) ? directive.value : String(limit);
  draft.set(['limits', 'packetBytesMax'], value, directive);
}

function logDestination(draft: Draft, directive: Directive): void {
  if (directive.value === 'stdout' || directive.value === 'stderr') return;
  if (directive.value === 'none') draft.set(['logLevel'], 'silent', directive);
  else {
    draft.note(directive, 'the log goes to standard output, which systemd and containers keep');
  }
}

const LEVELS: Readonly<Record<string, 'debug' | 'info' | 'warn' | 'error' | 'silent'>> = {
  all: 'debug',
  debug: 'debug',
  subscribe: 'debug',
  unsubscribe: 'debug',
  websockets: 'info',
  information: 'info',
  notice: 'info',
  warning: 'warn',
  error: 'error',
  none: 'silent',
};
const SEVERITY = ['debug', 'info', 'warn', 'error', 'silent'];

/** Each line adds a kind; the least severe one is the level. */
function logType(draft: Draft, directive: Directive): void {
  const level = LEVELS[directive.value];
  if (level === undefined) {
    draft.note(directive, `there is no such kind as ${directive.value}`);
    return;
  }
  const before = draft.settings.findLast(({ path }) => path[0] === 'logLevel')?.value as string;
  if (before === undefined || SEVERITY.indexOf(level) < SEVERITY.indexOf(before)) {
    draft.set(['logLevel'], level, directive);
  }
}

function maxInFlight(draft: Draft, directive: Directive): void {
  const value = directive.value === '0' ? UINT16_MAX : directive.value;
  draft.set(['limits', 'legacyInFlightMax'], value, directive);
  draft.set(['limits', 'inFlightMax'], value, directive);
}

function messageSizeLimit(draft: Draft, directive: Directive): void {
  const bytes = Number(directive.value);
  if (bytes === 0) return;
  const packetBytesMax = Math.min(bytes + HEAD_BYTES_MAX, PACKET_BYTES_MAX);
  draft.set(['limits', 'packetBytesMax'], packetBytesMax, directive);
  draft.note(
    directive,
    `the limit is on whole packets here: ${packetBytesMax} bytes, topic and all`,
  );
}

function perListenerSettings(draft: Draft, directive: Directive): void {
  draft.isPerListener = isYes(directive);
}

function persistence(draft: Draft, directive: Directive): void {
  if (!isYes(directive)) draft.set(['inMemory'], true, directive);
}

function persistenceLocation(draft: Draft, directive: Directive): void {
  draft.set(['data'], join(directive.value, 'dunlin'), directive);
  draft.note(
    directive,
    "Dunlin keeps its own files in a folder of its own there; Mosquitto's are left alone",
  );
}

function persistentClientExpiration(draft: Draft, directive: Directive): void {
  const [, count, unit] = /^(\d+)([hdwmy])$/.exec(directive.value) ?? [];
  const hours = HOURS[unit ?? ''];
  if (hours === undefined) draft.fault(directive, 'expected a number with h, d, w, m or y');
  else draft.set(['limits', 'legacySessionExpirySeconds'], `${Number(count) * hours}h`, directive);
}
