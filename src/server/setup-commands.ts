import type { Command } from 'commander';
import type { InitFlags } from './init/init-command.js';

const IMPORT_HELP = `
The files that it names (passwords, rules, certificates, dynamic security) are used as they are.
docs/mosquitto.md tells how retained messages come over.`;

/** `dunlin init`, `certificate` and `import`: how people come to a configuration and keep it. */
export function addSetupCommands(program: Command): void {
  program
    .command('init [folder]')
    .description('make a safe setup: a user, certificates, a configuration (default folder: .)')
    .option('--user <name>', 'name of the first user (default home)')
    .option('--names <names>', 'names and addresses by which clients reach it')
    .option('--certificates <kind>', 'local (an authority of its own), acme, or none')
    .option('--email <address>', 'for acme: where the authority writes to')
    .option('--plain-devices', 'also listen for devices that cannot do TLS')
    .option('--browsers', 'listen for browsers too, over WebSocket (default)')
    .option('--no-browsers', 'no WebSocket')
    .option('--mdns', 'tell the local network of it')
    .option('--yes', 'ask nothing')
    .action(async (folder: string | undefined, flags: InitFlags) => {
      const { runInit } = await import('./init/init-command.js');
      const { endWith } = await import('./run.js');
      await runInit(folder, flags).catch(endWith);
    });
  addCertificate(program);
  program
    .command('import <mosquitto.conf>')
    .description("write Mosquitto's configuration as Dunlin's, and list what has no equivalent")
    .option('--output <file>', 'a new file to write (default: standard output)')
    .addHelpText('after', IMPORT_HELP)
    .action(async (file: string, { output }: { readonly output?: string }) => {
      const { runImport } = await import('./mosquitto/import-command.js');
      const { endWith } = await import('./run.js');
      try {
        runImport(file, output);
      } catch (error) {
        endWith(error);
      }
    });
}

function addCertificate(program: Command): void {
  const command = program
    .command('certificate')
    .description('make certificates by the authority that init has made');
  command
    .command('renew [folder]')
    .description('a new certificate for the broker, with the same names (default folder: .)')
    .action((folder: string | undefined) =>
      print(async () => {
        const { renewServer } = await import('./certificates/certificate-command.js');
        return renewServer(folder ?? '.', Date.now());
      }),
    );
  command
    .command('client <name> [folder]')
    .description('a certificate by which a client shows its name (default folder: .)')
    .option('--days <count>', 'how long it holds (default 3650)')
    .action((name: string, folder: string | undefined, { days }: { readonly days?: string }) =>
      print(async () => {
        const { issueClient } = await import('./certificates/certificate-command.js');
        return issueClient(folder ?? '.', name, days, Date.now());
      }),
    );
}

async function print(sentences: () => Promise<string[]>): Promise<void> {
  const { endWith } = await import('./run.js');
  const lines = await sentences().catch(endWith);
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}
