import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { connectWhenOpen, freePort } from '../../test/support/ports.js';
import { BrokerChild, type BrokerKind, type RunningBroker, type StartOptions } from './broker.js';

const PLACES = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'];

/**
 * Mosquitto with nothing in its way: no log, no limits. By its default the system gathers small
 * packets while earlier ones are not acknowledged; without that delay each costs a packet.
 */
export function mosquitto(name: 'mosquitto' | 'mosquitto-nodelay'): BrokerKind {
  const delays = name === 'mosquitto';
  return { name, version, start: (options) => start(delays, options) };
}

function version(): string | undefined {
  const program = PLACES.find((place) => existsSync(place));
  if (program === undefined) return undefined;
  const help = spawnSync(program, ['-h'], { encoding: 'utf8' });
  return /version (\S+)/.exec(help.stdout)?.[1] ?? 'unknown';
}

async function start(delays: boolean, options: StartOptions): Promise<RunningBroker> {
  const program = PLACES.find((place) => existsSync(place));
  if (program === undefined) throw new Error('mosquitto is not installed');
  const broker = new BrokerChild();
  const port = await freePort();
  const webSocketPort = options.needsWebSocket ? await freePort() : undefined;
  const settings = [
    `user ${userInfo().username}`,
    'log_type none',
    'max_inflight_messages 0',
    'max_queued_messages 0',
    `set_tcp_nodelay ${!delays}`,
    `persistence ${options.needsStore}`,
    ...(options.needsStore ? [`persistence_location ${broker.folder}/`] : []),
    'allow_anonymous true',
    `listener ${port} 127.0.0.1`,
    ...(webSocketPort === undefined
      ? []
      : [`listener ${webSocketPort} 127.0.0.1`, 'protocol websockets']),
  ];
  const file = join(broker.folder, 'mosquitto.conf');
  writeFileSync(file, `${settings.join('\n')}\n`);
  broker.spawn(options.core, [program, '-c', file]);
  (await connectWhenOpen(port)).destroy();
  const target = { host: '127.0.0.1', port, webSocketPort, pid: broker.pid };
  const setup = settings.filter((line) => !/^(user|listener) |_location/.test(line)).join('; ');
  return { target, setup, stop: () => broker.stop() };
}
