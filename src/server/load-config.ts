import { notePlaces } from './config/authorization.js';
import { openDoors } from './config/doors.js';
import { pathOf } from './config/node.js';
import { type Config, type ConfigFault, configTree, parseConfig } from './config.js';
import { fromEnvironment } from './config-environment.js';
import { type ConfigPath, ConfigSource, type Flags, fromFlags, overlay } from './config-source.js';
import { ExitCode, StartError } from './exit-code.js';
import { listenerFaults } from './listener-faults.js';

/** What the command listens on when nobody says otherwise: this machine alone. */
const DEFAULT_URLS = ['mqtt://127.0.0.1:1883', 'ws://127.0.0.1:8080/mqtt'];

export interface ConfigReading {
  /** With every value that can be used, also where there are faults; undefined where none can. */
  readonly config: Config | undefined;
  /** A sentence for every single fault, with its place. */
  readonly faults: readonly string[];
  /** Where a value was written: a file with line and column, a variable or a flag. */
  placeOf(path: ConfigPath): string | undefined;
}

/**
 * Joins flags, environment, file and defaults, in this order of weight. Throws a `StartError` with
 * a sentence for every single fault. `onNote` is told what a mosquitto.conf says that has no
 * equivalent.
 */
export async function loadConfig(
  flags: Flags,
  environment: NodeJS.ProcessEnv,
  onNote?: (sentence: string) => void,
): Promise<Config> {
  const { config, faults } = await readConfig(flags, environment, onNote);
  if (config === undefined || faults.length > 0) throw new StartError(ExitCode.Usage, faults);
  return config;
}

/** The same for those who want to go on where something is wrong. */
export async function readConfig(
  flags: Flags,
  environment: NodeJS.ProcessEnv,
  onNote: (sentence: string) => void = () => {},
): Promise<ConfigReading> {
  const sources = [
    await readFile(flags.config ?? environment['DUNLIN_CONFIG'], environment, onNote),
    fromEnvironment(environment),
    fromFlags(flags),
  ];
  const { value, placeOf } = merge(sources);
  value['listen'] ??= DEFAULT_URLS.map((url) => ({ url }));
  const faults = sources.flatMap((source) => source.faults);
  const tell = (fault: ConfigFault): string =>
    `${placeOf(fault.path) ?? fault.path.join('.')}: ${fault.expectation}`;
  const result = parseConfig(value);
  const wrong = 'listen' in result ? [] : result;
  const config = 'listen' in result ? result : usableOf(value, result);
  faults.push(...wrong.map(tell));
  if (config !== undefined) {
    // A list of addresses none of which can be read is not an empty one as well.
    const isListTold = wrong.some(({ path }) => path[0] === 'listen');
    if (config.listen.length === 0 && !isListTold) faults.push(noAddress(placeOf));
    faults.push(...contradictions(config, value, placeOf), ...openDoors(config));
    notePlaces(config.authorization, placeOf);
  }
  return { config, faults, placeOf };
}

/** What is left when everything that is wrong is taken out. */
function usableOf(value: unknown, faults: readonly ConfigFault[]): Config | undefined {
  // From behind, so that the items of a list keep their places until it is their turn.
  for (const { path } of faults.toReversed()) takeOut(value, path);
  const result = parseConfig(value);
  return 'listen' in result ? result : undefined;
}

function takeOut(root: unknown, path: ConfigPath): void {
  let inside: unknown = root;
  for (const step of path.slice(0, -1)) inside = (inside as Record<string, unknown>)?.[step];
  const last = path.at(-1);
  if (typeof inside !== 'object' || inside === null || last === undefined) return;
  if (Array.isArray(inside)) inside.splice(Number(last), 1);
  else if (last in inside) delete (inside as Record<string, unknown>)[last];
  // A key that is missing: what lacks it cannot be used.
  else takeOut(root, path.slice(0, -1));
}

/** The parser of YAML is loaded only where there is a file; `*.conf` is one of Mosquitto's. */
async function readFile(
  file: string | undefined,
  environment: NodeJS.ProcessEnv,
  onNote: (sentence: string) => void,
): Promise<ConfigSource> {
  if (file === undefined || file === '') return new ConfigSource();
  if (file.endsWith('.conf')) {
    const { readMosquittoConf } = await import('./mosquitto/mosquitto-conf.js');
    const { source, notes } = readMosquittoConf(file);
    for (const { place, sentence } of notes) onNote(`${place}: ${sentence}`);
    return source;
  }
  const { readConfigFile } = await import('./config-file.js');
  return readConfigFile(file, environment);
}

function merge(sources: readonly ConfigSource[]): {
  value: Record<string, unknown>;
  placeOf: (path: ConfigPath) => string | undefined;
} {
  let value: unknown = {};
  for (const source of sources) value = overlay(configTree, value, source.value);
  const placeOf = (path: ConfigPath): string | undefined => {
    const heaviest = sources.findLast((source) => source.placeOf(path) !== undefined);
    return heaviest?.placeOf(path);
  };
  return { value: value as Record<string, unknown>, placeOf };
}

function noAddress(placeOf: ConfigReading['placeOf']): string {
  return `${placeOf(['listen']) ?? 'listen'}: expected at least one URL`;
}

/** Keys of listeners that do not go with their URLs. */
function misfits({ listen }: Config, placeOf: ConfigReading['placeOf']): string[] {
  return listen.flatMap((listener, i) =>
    listenerFaults(listener).map(({ key, sentence }) => {
      const place = `listen[${i}]`;
      const written = placeOf(pathOf(`${place}.${key}`, configTree)!);
      const at = written === undefined ? '' : `${written.split(': ')[0]}: `;
      return `${at}${place}.${key}: ${sentence}`;
    }),
  );
}

function contradictions(
  config: Config,
  written: Record<string, unknown>,
  placeOf: ConfigReading['placeOf'],
): string[] {
  const faults = misfits(config, placeOf);
  if (config.inMemory && written['durability'] !== undefined && config.durability !== 'memory') {
    faults.push(
      `${placeOf(['durability'])}: ${config.durability} promises to keep messages, ` +
        `but ${placeOf(['inMemory'])} keeps nothing: leave out one of them`,
    );
  }
  return faults;
}
