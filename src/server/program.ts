import { Command, CommanderError } from 'commander';
import { addAclCommand } from './acl-command.js';
import type { Flags } from './config-source.js';
import { ExitCode } from './exit-code.js';
import { flagFacts } from './flags.js';
import { checkHealth, DEFAULT_HEALTH_URL } from './health.js';
import { nearestName } from './nearest-name.js';
import type { PasswdOptions } from './passwd/passwd.js';
import { addSetupCommands } from './setup-commands.js';
import { packageVersion } from './version.js';

const EXIT_CODES = `
Without flags it listens on mqtt://127.0.0.1:1883 and ws://127.0.0.1:8080/mqtt and keeps its data in
./dunlin-data. Flags weigh more than the environment (DUNLIN_DURABILITY,
DUNLIN_LIMITS__RECEIVE_MAXIMUM), that more than the configuration file.

Exit codes: 0 stopped, 1 cannot start or was stopped twice, 2 wrong flag or setting,
3 the store failed while running, 4 the data folder is damaged, newer or in use.`;

function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}

function createProgram(): Command {
  const program = new Command('dunlin')
    .description('An MQTT 3.1, 3.1.1 and 5.0 broker')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .addHelpText('after', EXIT_CODES)
    .allowExcessArguments(false)
    .helpCommand('help [command]', 'print the help of a command')
    .configureOutput({ outputError: (text, write) => write(inOneLine(text)) })
    .exitOverride()
    .action(async (flags: Flags, command: Command) => {
      const [word] = command.args;
      if (word !== undefined) program.error(unknownCommand(word, program));
      const { run, endWith } = await import('./run.js');
      await run(flags).catch(endWith);
    });
  for (const { usage, description, isRepeatable } of flagFacts) {
    if (isRepeatable) program.option(usage, description, collect);
    else program.option(usage, description);
  }
  program
    .command('health [url]')
    .description(`ask a running broker whether it is ready (default ${DEFAULT_HEALTH_URL})`)
    .action(async (url: string | undefined) => {
      const { ready, sentence } = await checkHealth(url ?? DEFAULT_HEALTH_URL);
      process.stdout.write(`${sentence}\n`);
      process.exitCode = ready ? ExitCode.Stopped : ExitCode.Failure;
    });
  program
    .command('check')
    .description('read all that the broker would, report every fault, and say what is open to whom')
    .addHelpText('after', '\nIt takes the flags that the broker is started with, such as --config.')
    .action(async (_: unknown, command: Command) => {
      const { check } = await import('./check/check.js');
      const { lines, exitCode } = await check(command.optsWithGlobals(), process.env);
      process.stdout.write(`${lines.join('\n')}\n`);
      process.exitCode = exitCode;
    });
  program
    .command('schema')
    .description('print the JSON Schema of the configuration file, for editors')
    .action(async () => {
      const { jsonSchema } = await import('./config/json-schema.js');
      const { configTree } = await import('./config.js');
      process.stdout.write(`${JSON.stringify(jsonSchema(configTree), undefined, 2)}\n`);
    });
  addSetupCommands(program);
  addPasswd(program);
  addAclCommand(program);
  // After its commands, which have it from the program: a word that is none is told by itself.
  return program.allowExcessArguments(true);
}

/** As all sentences that stop the start: one line, and whose it is in front. */
function inOneLine(text: string): string {
  return `dunlin: ${text.replace(/^error: /, '').replace(/\n(?=\()/, ' ')}`;
}

function unknownCommand(word: string, { commands }: Command): string {
  const names = commands.map((command) => command.name());
  const nearest = nearestName(word, names);
  const hint = nearest === undefined ? `there are ${names.join(', ')}` : `did you mean ${nearest}?`;
  return `there is no command ${word}; ${hint}`;
}

function addPasswd(program: Command): void {
  program
    .command('passwd <file> <user>')
    .description(
      'add a user to a password file, or set a new password; asks for it, or reads a line',
    )
    .option('--delete', 'remove the user')
    .option('--random', 'make a password by chance and print it')
    .option('--groups <names>', 'groups of the user, separated by commas; kept without it')
    .option('--scram', 'keep keys by which SCRAM-SHA-256 works as well as the plain password')
    .option('--cost <log2>', 'cost of scrypt, 10 to 17 (default 14: 16 MiB)')
    .option('--iterations <count>', 'iterations of SCRAM keys, 4096 and up (default 10000)')
    .action(async (file: string, user: string, options: PasswdOptions) => {
      const { passwd } = await import('./passwd/passwd.js');
      const { terminal } = await import('./passwd/terminal.js');
      const { endWith } = await import('./run.js');
      await passwd(file, user, options, terminal).catch(endWith);
    });
}

/** Does what the command line says, commands and help included. */
export async function runProgram(): Promise<void> {
  try {
    await createProgram().parseAsync();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // The parser has printed its sentence already; help and version are no errors.
    process.exitCode = error.exitCode === 0 ? ExitCode.Stopped : ExitCode.Usage;
  }
}
