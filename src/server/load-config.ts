import { type Config, parseConfig } from './config.js';
import { readConfigFile } from './config-file.js';
import { ConfigSource, type Flags, fromEnvironment, fromFlags } from './config-source.js';
import { ExitCode, StartError } from './exit-code.js';
import { isLoopback } from './listen-url.js';

/** What the command listens on when nobody says otherwise: this machine alone. */
const DEFAULT_URLS = ['mqtt://127.0.0.1:1883', 'ws://127.0.0.1:8080/mqtt'];

/**
 * Joins flags, environment, file and defaults, in this order of weight. Throws a `StartError` with
 * a sentence for every single fault.
 */
export function loadConfig(flags: Flags, environment: NodeJS.ProcessEnv): Config {
  const file = flags.config ?? environment['DUNLIN_CONFIG'];
  const sources = [
    file === undefined || file === '' ? new ConfigSource() : readConfigFile(file),
    fromEnvironment(environment),
    fromFlags(flags),
  ];
  const { value, placeOf } = merge(sources);
  value['listen'] ??= DEFAULT_URLS.map((url) => ({ url }));
  const faults = sources.flatMap((source) => source.faults);
  const result = parseConfig(value);
  if ('listen' in result) {
    faults.push(...contradictions(result, value, placeOf), ...openDoors(result));
    if (faults.length === 0) return result;
  } else {
    faults.push(...result.map(({ path, expectation }) => `${placeOf(path)}: ${expectation}`));
  }
  throw new StartError(ExitCode.Usage, faults);
}

function merge(sources: readonly ConfigSource[]): {
  value: Record<string, unknown>;
  placeOf: (path: readonly (string | number)[]) => string;
} {
  const value: Record<string, unknown> = {};
  for (const source of sources) {
    const limits = { ...(value['limits'] as object), ...(source.value['limits'] as object) };
    Object.assign(value, source.value, { limits });
  }
  const placeOf = (path: readonly (string | number)[]): string => {
    const heaviest = sources.findLast((source) => source.placeOf(path) !== undefined);
    return heaviest?.placeOf(path) ?? path.join('.');
  };
  return { value, placeOf };
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

/**
 * Whoever can reach an open broker reads and writes everything: that must be said in so many words.
 */
export function openDoors(config: Pick<Config, 'listen' | 'allowAnonymous'>): string[] {
  if (config.allowAnonymous) return [];
  return config.listen
    .filter(({ url }) => !isLoopback(url.host))
    .map(
      ({ url }) =>
        `${url.scheme}://${url.host}:${url.port} can be reached from other machines, and this ` +
        'version has no passwords yet: whoever reaches it could read and write everything. ' +
        'Listen on 127.0.0.1, or, where everybody on the network is trusted, say so with ' +
        '--allow-anonymous (allow_anonymous: true, DUNLIN_ALLOW_ANONYMOUS=true)',
    );
}
