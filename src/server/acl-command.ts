import type { Command } from 'commander';
import type { AclTestOptions } from './acl-test.js';
import { ExitCode } from './exit-code.js';

const HELP = `
Ends with 0 when it is allowed, 1 when it is denied, 2 when a setting, a file or a flag is wrong.`;

function collect(value: string, earlier: readonly string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}

/** `dunlin acl test`: what the rules say to one request. */
export function addAclCommand(program: Command): void {
  program
    .command('acl')
    .description('try the rules of who may publish and subscribe to what')
    .command('test <action> <topic>')
    .description('which rule decides about publish, subscribe or receive of a topic')
    .option('--user <name>', 'user name (default: none, an anonymous client)')
    .option('--client <identifier>', 'Client Identifier (default test)')
    .option('--group <name>', 'group, repeatable (default: those of the user)', collect)
    .option('--address <address>', 'address of the client (default 127.0.0.1)')
    .option('--listener <url>', 'listener it comes through (default: the first)')
    .option('--claim <name=value>', 'what its token says, repeatable', collect)
    .option('--qos <qos>', 'QoS of the message (default 0)')
    .option('--retain', 'the message has RETAIN')
    .addHelpText('after', HELP)
    .action(async (action: string, topic: string, options: AclTestOptions, command: Command) => {
      const { testAcl } = await import('./acl-test.js');
      const { endWith } = await import('./run.js');
      const flags = command.optsWithGlobals();
      try {
        const answer = await testAcl(flags, process.env, action, topic, options);
        process.stdout.write(`${answer.sentence}\n`);
        process.exitCode = answer.isAllowed ? ExitCode.Stopped : ExitCode.Failure;
      } catch (error) {
        endWith(error);
      }
    });
}
