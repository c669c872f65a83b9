import { pathOf } from '../config/node.js';
import { configTree } from '../config.js';
import type { Flags } from '../config-source.js';
import { ExitCode } from '../exit-code.js';
import { type ConfigReading, readConfig } from '../load-config.js';
import { checkAccess } from './access.js';
import { checkAuthentication } from './authentication.js';
import { checkDataFolder } from './data-folder.js';
import { checkDevices } from './devices.js';
import { checkDoors } from './doors.js';
import type { ConfigCheck, Finding } from './finding.js';
import { checkPorts } from './ports.js';
import { checkSecrets } from './secrets.js';
import { checkTls } from './tls.js';

/** Everything that the broker reads at its start, each part told by itself. */
const CHECKS: readonly ConfigCheck[] = [
  checkPorts,
  checkDataFolder,
  checkDoors,
  checkTls,
  checkAuthentication,
  checkAccess,
  checkDevices,
];

export interface CheckReport {
  /** A line for every finding, and one that sums up. */
  readonly lines: readonly string[];
  readonly exitCode: ExitCode;
}

/** Reads everything that the broker would, and changes nothing. */
export async function check(flags: Flags, environment: NodeJS.ProcessEnv): Promise<CheckReport> {
  const notes: string[] = [];
  const reading = await readConfig(flags, environment, (note) => notes.push(note));
  const found = await findings(reading, flags.config ?? environment['DUNLIN_CONFIG']);
  const errors = [
    ...reading.faults,
    ...found.filter(({ severity }) => severity === 'error').map((one) => told(one, reading)),
  ];
  const warnings = [
    ...notes,
    ...found.filter(({ severity }) => severity === 'warning').map((one) => told(one, reading)),
  ];
  return {
    lines: [
      ...errors.map((sentence) => `error: ${sentence}`),
      ...warnings.map((sentence) => `warning: ${sentence}`),
      summary(errors.length, warnings.length),
    ],
    exitCode: errors.length === 0 ? ExitCode.Stopped : ExitCode.Usage,
  };
}

async function findings(
  { config }: ConfigReading,
  file: string | undefined,
): Promise<readonly Finding[]> {
  if (config === undefined) return [];
  const parts = await Promise.all(CHECKS.map((part) => part(config)));
  return [...parts.flat(), ...checkSecrets(config, file)];
}

/** With the line of the file, where its place is a key that was written there. */
function told({ place, sentence }: Finding, reading: ConfigReading): string {
  const path = pathOf(place, configTree);
  const written = path === undefined || path.length === 0 ? undefined : reading.placeOf(path);
  // A file's place has the key behind it, which may be only that of what is around.
  const at = written === undefined ? '' : `${written.split(': ')[0]}: `;
  return `${at}${place}: ${sentence}`;
}

function summary(errors: number, warnings: number): string {
  const count = (number: number, word: string): string =>
    `${number} ${word}${number === 1 ? '' : 's'}`;
  const verdict = errors === 0 ? 'the broker would start' : 'the broker would not start';
  return `${verdict}: ${count(errors, 'error')}, ${count(warnings, 'warning')}`;
}
