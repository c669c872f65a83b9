import { configNames } from './config.js';
import { nearestName } from './nearest-name.js';

export type ConfigPath = readonly (string | number)[];
type Nested = { [key: string]: unknown };

/** What one source (flags, environment, file) says, and where it says each thing. */
export class ConfigSource {
  readonly value: Nested = {};
  readonly faults: string[] = [];
  /** For each path, how a sentence about it begins. */
  readonly #places = new Map<string, string>();

  set(path: ConfigPath, value: unknown, place: string): void {
    this.#places.set(path.join('.'), place);
    let inside = this.value;
    for (const step of path.slice(0, -1)) {
      inside[step] ??= {};
      inside = inside[step] as Nested;
    }
    inside[path.at(-1)!] = value;
  }

  /** Names a place that holds more than one value. */
  mark(path: ConfigPath, place: string): void {
    this.#places.set(path.join('.'), place);
  }

  /** The place of the path or of the nearest thing around it. */
  placeOf(path: ConfigPath): string | undefined {
    for (let length = path.length; length > 0; length--) {
      const place = this.#places.get(path.slice(0, length).join('.'));
      if (place !== undefined) return place;
    }
    return undefined;
  }
}

/** `queueQoS0` is written `queue_qos0`. */
export function snakeCase(name: string): string {
  return name.replace('QoS', 'Qos').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function bySnakeCase(names: readonly string[]): ReadonlyMap<string, string> {
  return new Map(names.map((name) => [snakeCase(name), name]));
}

/** As written in files and, in capitals, in the environment: to the name in the code. */
export const writtenNames: Readonly<Record<keyof typeof configNames, ReadonlyMap<string, string>>> =
  {
    top: bySnakeCase(configNames.top),
    limits: bySnakeCase(configNames.limits),
    listener: bySnakeCase(configNames.listener),
  };

/** Says that a key is unknown and which one was probably meant. */
export function unknownKey(place: string, key: string, names: Iterable<string>): string {
  const nearest = nearestName(key, names);
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  return `${place}: there is no setting ${key}${hint}`;
}

/** Flags as the command line parser gives them: undefined where the user said nothing. */
export interface Flags {
  readonly listen?: readonly string[] | undefined;
  readonly data?: string | undefined;
  readonly inMemory?: boolean | undefined;
  readonly durability?: string | undefined;
  readonly allowAnonymous?: boolean | undefined;
  readonly logLevel?: string | undefined;
  readonly logFormat?: string | undefined;
  readonly config?: string | undefined;
}

export function fromFlags(flags: Flags): ConfigSource {
  const source = new ConfigSource();
  for (const [name, value] of Object.entries(flags)) {
    if (value === undefined || name === 'config') continue;
    const flag = `--${snakeCase(name).replaceAll('_', '-')}`;
    if (name === 'listen') setUrls(source, value as readonly string[], flag);
    else source.set([name], value, flag);
  }
  return source;
}

const PREFIX = 'DUNLIN_';
const OTHER_VARIABLES = ['DUNLIN_CONFIG'];

/** `DUNLIN_DURABILITY=process`, `DUNLIN_LIMITS__PACKET_BYTES_MAX=2MB`, `DUNLIN_LISTEN=url,url`. */
export function fromEnvironment(environment: NodeJS.ProcessEnv): ConfigSource {
  const source = new ConfigSource();
  const paths = environmentPaths();
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || value === undefined || value === '') continue;
    if (OTHER_VARIABLES.includes(variable)) continue;
    const path = paths.get(variable);
    if (path === undefined) {
      // Container platforms set variables of this prefix too: only a near miss is a mistake.
      const nearest = nearestName(variable, paths.keys());
      if (nearest !== undefined) source.faults.push(unknownKey(variable, variable, [nearest]));
    } else if (path[0] === 'listen') {
      const urls = value.split(',').map((url) => url.trim());
      setUrls(
        source,
        urls.filter((url) => url !== ''),
        variable,
      );
    } else {
      source.set(path, value, variable);
    }
  }
  return source;
}

function environmentPaths(): ReadonlyMap<string, ConfigPath> {
  const paths = new Map<string, ConfigPath>();
  for (const [written, name] of writtenNames.top) {
    if (name !== 'limits') paths.set(`${PREFIX}${written.toUpperCase()}`, [name]);
  }
  for (const [written, name] of writtenNames.limits) {
    paths.set(`${PREFIX}LIMITS__${written.toUpperCase()}`, ['limits', name]);
  }
  return paths;
}

function setUrls(source: ConfigSource, urls: readonly string[], place: string): void {
  source.set(
    ['listen'],
    urls.map((url) => ({ url })),
    place,
  );
}
