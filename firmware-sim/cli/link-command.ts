import { appendFileSync } from 'node:fs';
import type { Command } from 'commander';
import { realClock } from '../base/clock.js';
import { externalBroker } from '../broker/external.js';
import type { Trace } from '../link/link.js';
import { startLinkServer } from '../link/link-server.js';
import { byteSplit, linkProfile, linkProfiles } from '../link/profiles.js';
import { wholeNumber } from './values.js';

interface LinkFlags {
  readonly profile: string;
  readonly listen: string;
  readonly listenHost: string;
  readonly broker: string;
  readonly seed: string;
  readonly byteSplit?: boolean;
  readonly trace?: string;
}

const TRACED_BYTES_MAX = 48;

export function addLinkCommand(program: Command): void {
  program
    .command('link')
    .description('put a link in front of a broker, for firmware of your own')
    .requiredOption('--profile <name>', linkProfiles.map(({ name }) => name).join(', '))
    .option('--listen <port>', 'port for the device', '18830')
    .option('--listen-host <address>', 'address for the device', '127.0.0.1')
    .option('--broker <url>', 'the broker behind the link', 'mqtt://127.0.0.1:1883')
    .option('--seed <number>', 'jitter is the same for the same seed', '1')
    .option('--byte-split', 'every byte in a segment of its own')
    .option('--trace <file>', 'append each segment: time, direction, bytes in hexadecimal')
    .action(serve);
}

async function serve(flags: LinkFlags): Promise<void> {
  const { host, port } = externalBroker(flags.broker, undefined);
  const named = linkProfile(flags.profile);
  const profile = flags.byteSplit === true ? byteSplit(named) : named;
  const { trace: file } = flags;
  const server = await startLinkServer({
    clock: realClock,
    seed: wholeNumber('--seed', flags.seed),
    profile,
    target: { host, port },
    listenHost: flags.listenHost,
    listenPort: wholeNumber('--listen', flags.listen),
    ...(file !== undefined && { trace: traceTo(file) }),
    closed: ({ usage }, ms) => {
      const { meter: _, ...counts } = usage;
      process.stdout.write(`${JSON.stringify({ seconds: ms / 1000, ...counts })}\n`);
    },
  });
  const stop = () => server.close();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const at = `${flags.listenHost}:${server.port}`;
  process.stderr.write(`${profile.name} between ${at} and ${host}:${port}; ${profile.source}\n`);
}

function traceTo(file: string): Trace {
  return (atMs, way, what, bytes) => {
    const shown = bytes.subarray(0, TRACED_BYTES_MAX).toString('hex');
    appendFileSync(file, `${atMs.toFixed(1)} ${way} ${what} ${bytes.length} ${shown}\n`);
  };
}
