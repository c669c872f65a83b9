#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { addLinkCommand } from './cli/link-command.js';
import { addPacketLinkCommand } from './cli/packet-link-command.js';
import { addRunOptions, run } from './cli/run-command.js';
import { addTableCommand } from './cli/table-command.js';

const EXIT_CODES = `
Examples:
  dunlin-sim                                      all scenarios against Dunlin, started for it
  dunlin-sim --broker mqtt://192.168.1.5:1883     against a broker that runs
  dunlin-sim --start mosquitto --scenario 1,3     some of them against Mosquitto
  dunlin-sim --compare --json comparison.json     one table: Dunlin, Mosquitto, aedes
  dunlin-sim table comparison.json                the same table again
  dunlin-sim link --profile gprs --listen 18830   a GPRS link for your own firmware
  dunlin-sim packet-link --profile gprs --loss 0.05   with real TCP that loses packets

Exit codes: 0 every criterion held (in a comparison: by the first broker), 1 one did not,
2 wrong flag.`;

const program = new Command('dunlin-sim')
  .description('Small devices on bad links, as real ones behave, against any MQTT broker')
  .addHelpText('after', EXIT_CODES)
  .allowExcessArguments(false)
  // `link --broker` is the link's own flag, not that of a run.
  .enablePositionalOptions()
  .exitOverride();
addRunOptions(program).action(async (flags) => {
  const exitCode = await run(flags);
  // What a scenario has left behind, such as a wait that nobody needs any more, is over as well.
  process.stdout.write('', () => process.exit(exitCode));
});
addLinkCommand(program);
addPacketLinkCommand(program);
addTableCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  // The parser has printed its sentence already; help is no error.
  if (!(error instanceof CommanderError)) process.stderr.write(`dunlin-sim: ${text}\n`);
  process.exitCode = error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
}
