import { type ListenAddress, urlOf } from '../../transport/listener.js';
import { networksOf } from '../../transport/networks.js';
import { parseListenUrl } from '../listen-url.js';
import { parseSeconds, parseSize, showSeconds, showSize } from '../units.js';
import { type Entry, shown, value, valueOrFault } from './vocabulary.js';

function within(number: number | undefined, min: number, max: number): number | undefined {
  if (number === undefined || !Number.isInteger(number)) return undefined;
  return number >= min && number <= max ? number : undefined;
}

function numberOf(written: unknown): number | undefined {
  if (typeof written === 'number') return written;
  return typeof written === 'string' && /^\d[\d_]*$/.test(written)
    ? Number(written.replaceAll('_', ''))
    : undefined;
}

/** A whole number. */
export function count(min: number, max: number, unit?: string): Entry<number> {
  return value(
    {
      type: `count ${min}–${max}`,
      unit,
      expectation: `a whole number from ${min} to ${max}`,
      json: {
        oneOf: [
          { type: 'integer', minimum: min, maximum: max },
          { type: 'string', pattern: '^(\\d[\\d_]*|.*\\$\\{.*)$' },
        ],
      },
    },
    (written) => within(numberOf(written), min, max),
  );
}

/** Bytes. */
export function size(min: number, max: number): Entry<number> {
  return value(
    {
      type: `size ${min}–${max}`,
      unit: 'bytes',
      expectation: `a size from ${min} to ${max} bytes, such as 64KiB, 2MB or 4096`,
      json: {
        oneOf: [
          { type: 'integer', minimum: min, maximum: max },
          {
            type: 'string',
            pattern: '^(\\s*\\d[\\d_]*(\\.\\d+)?\\s*([kKmMgG]?[iI]?[bB])?\\s*|.*\\$\\{.*)$',
          },
        ],
      },
      show: (bytes) => (typeof bytes === 'number' ? showSize(bytes) : String(bytes)),
    },
    (written) => within(parseSize(written), min, max),
  );
}

/** Whole seconds. */
export function seconds(min: number, max: number): Entry<number> {
  return value(
    {
      type: `time ${min}–${max}`,
      unit: 'seconds',
      expectation: `a time from ${min} to ${max} whole seconds, such as 30s, 5m, 12h, 7d or 90`,
      json: {
        oneOf: [
          { type: 'integer', minimum: min, maximum: max },
          {
            type: 'string',
            pattern: '^(\\s*\\d[\\d_]*(\\.\\d+)?\\s*(ms|[smhdwSMHDW])?\\s*|.*\\$\\{.*)$',
          },
        ],
      },
      show: (length) => (typeof length === 'number' ? showSeconds(length) : String(length)),
    },
    (written) => within(parseSeconds(written), min, max),
  );
}

/** Words; `what` is the expectation, such as `a folder`. */
export function text(what: string): Entry<string> {
  return value({ type: 'text', expectation: what, json: { type: 'string', minLength: 1 } }, words);
}

/** A path of a file or folder, from the folder in which the broker was started. */
export function path(what: string): Entry<string> {
  return value({ type: 'path', expectation: what, json: { type: 'string', minLength: 1 } }, words);
}

/** The beginning of Topic Names, whole levels of it. */
export function topicPrefix(): Entry<string> {
  return value(
    {
      type: 'text',
      expectation: 'the beginning of a topic, such as site1/, with a slash at its end',
      json: { type: 'string', pattern: '^([^$+#][^+#]*/|.*\\$\\{.*)$' },
    },
    (written) =>
      typeof written === 'string' && /^[^$+#\0][^+#\0]*\/$/.test(written) ? written : undefined,
  );
}

/** Where copies go: a word of its own in it tells them from what they are copies of. */
export function copyTopic(): Entry<string> {
  const expectation =
    'a topic with a word of its own beside {client} and {topic}, such as $dead-letter/{client}/{topic}';
  return value(
    { type: 'text', expectation, json: { type: 'string', pattern: '^[^+#]+$' } },
    (written) => {
      if (typeof written !== 'string' || /[+#\0]/.test(written)) return undefined;
      return /[^/]/.test(written.replaceAll(/\{client\}|\{topic\}/g, '')) ? written : undefined;
    },
  );
}

/** What must stay unknown to others: `${VARIABLE}` or a file of its own (`name_file`) serve it. */
export function secret(what: string): Entry<string> {
  return value(
    { type: 'secret', expectation: what, json: { type: 'string', minLength: 1 }, isSecret: true },
    words,
  );
}

function words(written: unknown): string | undefined {
  return typeof written === 'string' && written !== '' ? written : undefined;
}

const YES = ['true', 'yes', 'on', '1'];
const NO = ['false', 'no', 'off', '0'];

export function yesOrNo(): Entry<boolean> {
  return value(
    {
      type: 'yes/no',
      expectation: 'true or false',
      json: {
        oneOf: [
          { type: 'boolean' },
          { enum: [0, 1] },
          {
            type: 'string',
            pattern: '^([tT]rue|[fF]alse|[yY]es|[nN]o|[oO]n|[oO]ff|0|1|.*\\$\\{.*)$',
          },
        ],
      },
    },
    (written) => {
      const word = String(written).toLowerCase();
      if (YES.includes(word)) return true;
      return NO.includes(word) ? false : undefined;
    },
  );
}

/** One of these words. */
export function oneOf<const T extends string>(...choices: readonly T[]): Entry<T> {
  const all =
    choices.length < 2 ? choices.join() : `${choices.slice(0, -1).join(', ')} or ${choices.at(-1)}`;
  return value(
    {
      type: choices.map((word) => `\`${word}\``).join(', '),
      expectation: all,
      json: { oneOf: [{ enum: choices }, { type: 'string', pattern: '\\$\\{' }] },
    },
    (written) => choices.find((word) => word === written),
  );
}

/** An address to listen on. */
export function listenUrl(): Entry<ListenAddress> {
  const facts = {
    type: 'URL',
    expectation: 'a URL such as mqtt://127.0.0.1:1883 or ws://127.0.0.1:8080/mqtt',
    json: { type: 'string', minLength: 1 },
  };
  return valueOrFault(facts, (written) => {
    const result = parseListenUrl(typeof written === 'string' ? written : '');
    if (typeof result !== 'string') return { value: result };
    return { fault: `${result}, not ${shown(written)}` };
  });
}

/** Listeners by their URL as it will be bound, or by a pattern of such URLs. */
export function listenerPattern(): Entry<string> {
  const facts = {
    type: 'URL or pattern',
    expectation: 'a URL such as mqtt://127.0.0.1:1883, or a pattern such as mqtts://*',
    json: { type: 'string', minLength: 1 },
  };
  return valueOrFault(facts, (written) => {
    if (typeof written === 'string' && /[*?]/.test(written)) return { value: written };
    const result = parseListenUrl(typeof written === 'string' ? written : '');
    if (typeof result === 'string') return { fault: `${result}, not ${shown(written)}` };
    const url = urlOf(result);
    // The system chooses the port.
    return { value: result.port === 0 ? url.replace(/:0(?=\/|$)/, ':*') : url };
  });
}

/** The URL of a server that is asked over HTTP. */
export function httpUrl(): Entry<string> {
  return value(
    {
      type: 'URL',
      expectation: 'a URL such as https://example.org/path',
      json: { type: 'string', minLength: 1 },
    },
    (written) =>
      typeof written === 'string' && /^https?:\/\//i.test(written) && URL.canParse(written)
        ? written
        : undefined,
  );
}

/** A network such as `10.0.0.0/8`, or a single address. */
export function network(): Entry<string> {
  return value(
    {
      type: 'network',
      expectation: 'a network such as 10.0.0.0/8 or an address such as 192.168.1.7',
      json: { type: 'string', minLength: 1 },
    },
    (written) =>
      typeof written === 'string' && networksOf([written]) !== undefined ? written : undefined,
  );
}

const VERSIONS: Readonly<Record<string, 3 | 4 | 5>> = {
  '3.1': 3,
  '3.1.1': 4,
  '5': 5,
  '5.0': 5,
};

export function protocolVersion(): Entry<3 | 4 | 5> {
  return value(
    {
      type: '`3.1`, `3.1.1`, `5.0`',
      expectation: '3.1, 3.1.1 or 5.0',
      json: { enum: [...Object.keys(VERSIONS), 3.1, 5] },
    },
    (written) => {
      const name = String(written);
      return Object.hasOwn(VERSIONS, name) ? VERSIONS[name] : undefined;
    },
  );
}

/** The rights of a file in octal digits: YAML reads 0660 as a number that is another one. */
export function fileMode(): Entry<number> {
  return value(
    {
      type: 'file mode',
      expectation: "rights in octal digits and in quotes, such as '0660'",
      json: { type: 'string', pattern: '^0?[0-7]{3}$' },
    },
    (written) =>
      typeof written === 'string' && /^0?[0-7]{3}$/.test(written)
        ? Number.parseInt(written, 8)
        : undefined,
  );
}
