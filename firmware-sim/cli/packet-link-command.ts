import type { Command } from 'commander';
import { seededRandom } from '../base/random.js';
import { externalBroker } from '../broker/external.js';
import { linkProfile, linkProfiles } from '../link/profiles.js';
import { openPacketLink } from '../packet-link/packet-link.js';
import type { PathOptions } from '../packet-link/packet-path.js';
import { startRelay } from '../packet-link/relay.js';
import { share, wholeNumber } from './values.js';

interface PacketLinkFlags {
  readonly profile: string;
  readonly listen: string;
  readonly listenHost: string;
  readonly broker: string;
  readonly seed: string;
  readonly loss: string;
  readonly reordering: string;
  readonly duplication: string;
  readonly corruption: string;
  readonly outage: string;
  readonly outageMs: string;
  readonly natIdle?: string;
  readonly mtu?: string;
}

/** IPv4 and TCP without options. */
const HEADER_BYTES = 40;
/** The smallest that IPv4 knows. */
const MTU_BYTES_MIN = 68;
const MTU_BYTES_MAX = 1500;
const MQTT_PORT = 1883;

export function addPacketLinkCommand(program: Command): void {
  program
    .command('packet-link')
    .description('the same with real TCP over a radio that loses packets (Linux, root)')
    .requiredOption('--profile <name>', linkProfiles.map(({ name }) => name).join(', '))
    .option('--listen <port>', 'port for the device', '18830')
    .option('--listen-host <address>', 'address for the device', '127.0.0.1')
    .option('--broker <url>', 'the broker behind the link', 'mqtt://127.0.0.1:1883')
    .option('--loss <share>', 'of all packets, each way', '0.02')
    .option('--reordering <share>', 'packets that may overtake others', '0')
    .option('--duplication <share>', 'packets that come twice', '0')
    .option('--corruption <share>', 'packets with a wrong bit; TCP finds it', '0')
    .option('--outage <share>', 'packets with which a time begins in which all are lost', '0')
    .option('--outage-ms <ms>', 'how long such a time lasts, about', '3000')
    .option('--nat-idle <seconds>', 'a connection that is silent for longer is forgotten')
    .option('--mtu <bytes>', "largest packet (default: the profile's segments and 40)")
    .option('--seed <number>', 'chance is the same for the same seed', '1')
    .action(serve);
}

async function serve(flags: PacketLinkFlags): Promise<void> {
  const { host, port } = externalBroker(flags.broker, undefined);
  const listenPort = wholeNumber('--listen', flags.listen);
  const link = await openPacketLink(optionsOf(flags));
  const stop = () => {
    process.stdout.write(`${JSON.stringify({ up: link.up, down: link.down })}\n`);
    link.close().then(() => process.exit(0));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  await link.exitTo(MQTT_PORT, { host, port });
  const door = await link.doorTo(MQTT_PORT, 'device');
  const server = await startRelay({ host: flags.listenHost, port: listenPort }, { path: door });
  const address = server.address();
  const at = typeof address === 'object' ? address?.port : listenPort;
  process.stdout.write(`${flags.profile} between ${flags.listenHost}:${at} and ${host}:${port}\n`);
}

function optionsOf(flags: PacketLinkFlags): Parameters<typeof openPacketLink>[0] {
  const profile = linkProfile(flags.profile);
  const { latencyMs, jitterMs, upBytesPerSecond, downBytesPerSecond } = profile;
  const common: PathOptions = {
    latencyMs,
    jitterMs,
    loss: share('--loss', flags.loss),
    reordering: share('--reordering', flags.reordering),
    duplication: share('--duplication', flags.duplication),
    corruption: share('--corruption', flags.corruption),
    outage: {
      chance: share('--outage', flags.outage),
      meanMs: wholeNumber('--outage-ms', flags.outageMs),
    },
  };
  const ofProfile = Math.min(MTU_BYTES_MAX, profile.segmentBytes + HEADER_BYTES);
  const mtuBytes = flags.mtu === undefined ? ofProfile : wholeNumber('--mtu', flags.mtu);
  const { natIdle } = flags;
  const natIdleMs = natIdle === undefined ? undefined : wholeNumber('--nat-idle', natIdle) * 1000;
  return {
    up: { ...common, bytesPerSecond: upBytesPerSecond },
    down: { ...common, bytesPerSecond: downBytesPerSecond },
    random: seededRandom(wholeNumber('--seed', flags.seed), 'packets'),
    mtuBytes: Math.max(MTU_BYTES_MIN, mtuBytes),
    ...(natIdleMs !== undefined && { natIdleMs }),
  };
}
