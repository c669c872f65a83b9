import { notePlaces } from './config/authorization.js';
import { openDoors } from './config/doors.js';
import { type Config, configTree, parseConfig } from './config.js';
import { fromEnvironment } from './config-environment.js';
import { type ConfigPath, ConfigSource, type Flags, fromFlags, overlay } from './config-source.js';
import { ExitCode, StartError } from './exit-code.js';

/** What the command listens on when nobody says otherwise: this machine alone. */
const DEFAULT_URLS = ['mqtt://127.0.0.1:1883', 'ws://127.0.0.1:8080/mqtt'];

/**
 * Joins flags, environment, file and defaults, in this order of weight. Throws a `StartError` with
 * a sentence for every single fault. `onNote` is told what a mosquitto.conf says that has no
 * equivalent.
 */
export async function loadConfig(
  flags: Flags,
  environment: NodeJS.ProcessEnv,
  onNote: (sentence: string) => void = () => {},
): Promise<Config> {
  const sources = [
    await readFile(flags.config ?? environment['DUNLIN_CONFIG'], environment, onNote),
    fromEnvironment(environment),
    fromFlags(flags),
  ];
  const { value, placeOf } = merge(sources);
  value['listen'] ??= DEFAULT_URLS.map((url) => ({ url }));
  const faults = sources.flatMap((source) => source.faults);
  const result = parseConfig(value);
  if ('listen' in result) {
    faults.push(...contradictions(result, value, placeOf), ...openDoors(result));
    notePlaces(result.authorization, placeOf);
    if (faults.length === 0) return result;
  } else {
    faults.push(...result.map(({ path, expectation }) => `${placeOf(path)}: ${expectation}`));
  }
  throw new StartError(ExitCode.Usage, faults);
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
  placeOf: (path: ConfigPath) => string;
} {
  let value: unknown = {};
  for (const source of sources) value = overlay(configTree, value, source.value);
  const placeOf = (path: ConfigPath): string => {
    const heaviest = sources.findLast((source) => source.placeOf(path) !== undefined);
    return heaviest?.placeOf(path) ?? path.join('.');
  };
  return { value: value as Record<string, unknown>, placeOf };
}

function contradictions(
  config: Config,
  written: Record<string, unknown>,
  placeOf: (path: readonly string[]) => string,
): string[] {
  const faults = [];
  if (config.listen.length === 0) faults.push(`${placeOf(['listen'])}: expected at least one URL`);
  if (config.inMemory && written['durability'] !== undefined && config.durability !== 'memory') {
    faults.push(
      `${placeOf(['durability'])}: ${config.durability} promises to keep messages, ` +
        `but ${placeOf(['inMemory'])} keeps nothing: leave out one of them`,
    );
  }
  return faults;
}
