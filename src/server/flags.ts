import { parseArgs } from 'node:util';
import type { Flags } from './config-source.js';

interface FlagFacts {
  /** As the help shows it. */
  readonly usage: string;
  readonly description: string;
  readonly isRepeatable?: boolean;
}

/** The flags of the broker itself. */
export const flagFacts: readonly FlagFacts[] = [
  {
    usage: '--listen <url>',
    description: 'mqtt://host:port, ws://host:port/path or unix:/path, repeatable',
    isRepeatable: true,
  },
  {
    usage: '--data <dir>',
    description: 'folder for what survives a restart (default ./dunlin-data)',
  },
  { usage: '--in-memory', description: 'keep nothing on disk' },
  {
    usage: '--durability <level>',
    description: 'what survives: power (default), process or memory',
  },
  { usage: '--config <file>', description: 'configuration file (YAML)' },
  { usage: '--log-level <level>', description: 'debug, info (default), warn, error or silent' },
  { usage: '--log-format <format>', description: 'auto (default), human or json' },
  { usage: '--allow-anonymous', description: 'let everybody who reaches the addresses in' },
];

/**
 * The flags where there is nothing but flags, all of them right: the broker runs for months, and
 * what parses commands and prints help need not be in its memory. Undefined for everything else.
 */
export function plainFlags(args: readonly string[]): Flags | undefined {
  const options = Object.fromEntries(
    flagFacts.map(({ usage, isRepeatable = false }) => {
      const [name, value] = usage.slice(2).split(' ') as [string, string?];
      const type = value === undefined ? ('boolean' as const) : ('string' as const);
      return [name, { type, multiple: isRepeatable }];
    }),
  );
  try {
    const { values } = parseArgs({ args: [...args], options, allowPositionals: false });
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [camelCase(name), value]),
    );
  } catch {
    return undefined;
  }
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
