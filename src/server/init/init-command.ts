import { judgeUserName } from '../../extensions/authentication/password-file.js';
import { ExitCode, StartError } from '../exit-code.js';
import { judgeNames, splitNames } from './names.js';
import { defaultPlan, type SetupPlan } from './plan.js';
import { type WrittenSetup, writeSetup } from './write-setup.js';

/** Flags as the command line gives them; what is left out is asked, or has its default. */
export interface InitFlags {
  readonly user?: string;
  readonly names?: string;
  readonly certificates?: string;
  readonly email?: string;
  readonly plainDevices?: boolean;
  readonly browsers?: boolean;
  readonly mdns?: boolean;
  /** Asks nothing. */
  readonly yes?: boolean;
}

/** Makes a setup and prints how to start it and the password, which is shown nowhere again. */
export async function runInit(folder: string | undefined, flags: InitFlags): Promise<void> {
  const given = planOf(folder, flags);
  const plan =
    flags.yes === true || !process.stdin.isTTY ? { ...defaultPlan(), ...given } : await ask(given);
  process.stdout.write(report(plan, await writeSetup(plan)));
}

async function ask(given: Partial<SetupPlan>): Promise<SetupPlan> {
  const { askForPlan } = await import('./ask.js');
  return askForPlan(given);
}

const KINDS = ['local', 'acme', 'none'] as const;

function planOf(folder: string | undefined, flags: InitFlags): Partial<SetupPlan> {
  const certificates = KINDS.find((kind) => kind === flags.certificates);
  const names = flags.names === undefined ? undefined : splitNames(flags.names);
  const faults = [
    flags.user === undefined ? undefined : named('--user', judgeUserName(flags.user)),
    names === undefined ? undefined : named('--names', judgeNames(names, certificates ?? 'local')),
    certificates === undefined && flags.certificates !== undefined
      ? `--certificates: expected local, acme or none, not "${flags.certificates}"`
      : undefined,
    certificates === 'acme' && names === undefined
      ? '--names is missing: a public authority needs the public name of the broker'
      : undefined,
  ].filter((fault) => fault !== undefined);
  if (faults.length > 0) throw new StartError(ExitCode.Usage, faults);
  return {
    ...(folder === undefined ? {} : { folder }),
    ...(flags.user === undefined ? {} : { userName: flags.user }),
    ...(names === undefined ? {} : { names }),
    ...(certificates === undefined ? {} : { certificates }),
    ...(flags.email === undefined ? {} : { email: flags.email }),
    ...(flags.plainDevices === undefined ? {} : { plainDevices: flags.plainDevices }),
    ...(flags.browsers === undefined ? {} : { browsers: flags.browsers }),
    ...(flags.mdns === undefined ? {} : { mdns: flags.mdns }),
  };
}

function named(flag: string, fault: string | undefined): string | undefined {
  return fault === undefined ? undefined : `${flag}: ${fault}`;
}

function report(plan: SetupPlan, { configFile, password, authorityFile }: WrittenSetup): string {
  const host = plan.names[0]!;
  const isEncrypted = plan.certificates !== 'none';
  const target = isEncrypted
    ? `-h ${host} -p 8883${authorityFile === undefined ? '' : ` --cafile ${authorityFile}`}`
    : `-h ${host}`;
  const lines = [
    `  User          ${plan.userName}`,
    `  Password      ${password}      (shown only now; stored hashed)`,
    `  Settings      ${configFile}`,
    ...(authorityFile === undefined ? [] : [`  To be trusted ${authorityFile}`]),
    '',
    `  start it      dunlin --config ${configFile}`,
    `  look it over  dunlin check --config ${configFile}`,
    `  try it        mosquitto_pub ${target} -u ${plan.userName} -P ${password} -t hello -m hi`,
  ];
  return `\n${lines.join('\n')}\n\n`;
}
