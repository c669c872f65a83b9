import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrokerKindName, BrokerStartOptions } from './broker.js';
import type { BrokerCommand } from './broker-process.js';

/** Beside this program where it is built; in `dist` where it runs from its source. */
const DUNLIN_PLACES = ['../../server/main.js', '../../dist/server/main.js'].map((place) =>
  fileURLToPath(new URL(place, import.meta.url)),
);
/** Behind what a broker is for most scenarios. */
const KEEPS_DATA = '; where it is killed, and in the mixed fleet, instead of that ';
/** What Debian's defaults lack to be reachable and to tell what they do; without Nagle's delay. */
const MOSQUITTO_SETTINGS = [
  ...['error', 'warning', 'notice', 'information'].map((type) => `log_type ${type}`),
  'log_dest stderr',
  'allow_anonymous true',
  'set_tcp_nodelay true',
];
/** Each second: it knows nothing quicker. */
const MOSQUITTO_SAVES = 'autosave_interval 1';
const MOSQUITTO_PLACES = [
  '/usr/sbin/mosquitto',
  '/usr/local/sbin/mosquitto',
  '/usr/bin/mosquitto',
  '/opt/homebrew/sbin/mosquitto',
];

export function brokerCommand(kind: BrokerKindName, options: BrokerStartOptions): BrokerCommand {
  switch (kind) {
    case 'dunlin':
      return dunlin(options);
    case 'mosquitto':
      return mosquitto(options);
    case 'aedes':
      return aedes(options);
  }
}

function dunlin({ persistent, configFile }: BrokerStartOptions): BrokerCommand {
  const main = DUNLIN_PLACES.find((place) => existsSync(place));
  if (main === undefined) throw new Error('Dunlin is not built: run npm run build first');
  const description = readFileSync(join(main, '../../../package.json'), 'utf8');
  const { version } = JSON.parse(description) as { version: string };
  return {
    kind: 'dunlin',
    version,
    setUp: `defaults, --log-format json, --in-memory${KEEPS_DATA}--data FOLDER`,
    command: (port, folder) => [
      process.execPath,
      main,
      ...['--listen', `mqtt://127.0.0.1:${port}`, '--log-format', 'json'],
      ...(persistent ? ['--data', join(folder, 'data')] : ['--in-memory']),
      ...(configFile === undefined ? [] : ['--config', configFile]),
    ],
  };
}

function mosquitto({ persistent, configFile }: BrokerStartOptions): BrokerCommand {
  const program = MOSQUITTO_PLACES.find((place) => existsSync(place));
  if (program === undefined) throw new Error('mosquitto is not installed');
  const help = spawnSync(program, ['-h'], { encoding: 'utf8' });
  return {
    kind: 'mosquitto',
    version: /version (\S+)/.exec(help.stdout)?.[1] ?? 'unknown',
    setUp: `${MOSQUITTO_SETTINGS.join(', ')}, persistence false${KEEPS_DATA}${MOSQUITTO_SAVES}`,
    command: (port, folder) => {
      const file = join(folder, 'mosquitto.conf');
      const own = configFile === undefined ? [] : [readFileSync(configFile, 'utf8')];
      const settings = [
        ...own,
        `user ${userInfo().username}`,
        ...MOSQUITTO_SETTINGS,
        `persistence ${persistent}`,
        ...(persistent ? [`persistence_location ${folder}/`, MOSQUITTO_SAVES] : []),
        `listener ${port} 127.0.0.1`,
      ];
      writeFileSync(file, `${settings.join('\n')}\n`);
      return [program, '-c', file];
    },
  };
}

function aedes({ persistent, configFile }: BrokerStartOptions): BrokerCommand {
  if (configFile !== undefined) throw new Error('aedes has no configuration file');
  const version = aedesVersion();
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const server = fileURLToPath(new URL(`./aedes-server.${extension}`, import.meta.url));
  const loader = extension === 'ts' ? ['--import', 'tsx'] : [];
  return {
    kind: 'aedes',
    version,
    setUp: `defaults, in memory${KEEPS_DATA}aedes-persistence-level`,
    command: (port, folder) => [
      ...[process.execPath, ...loader, server, String(port)],
      ...(persistent ? [join(folder, 'level')] : []),
    ],
  };
}

function aedesVersion(): string {
  const require = createRequire(import.meta.url);
  try {
    // Its package.json is not among what it exports.
    const description = join(dirname(require.resolve('aedes')), 'package.json');
    return (JSON.parse(readFileSync(description, 'utf8')) as { version: string }).version;
  } catch {
    throw new Error('aedes is not installed: run npm install aedes beside this package');
  }
}
