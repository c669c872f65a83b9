import { existsSync } from 'node:fs';
import { join } from 'node:path';
import packageDescription from '../../package.json' with { type: 'json' };
import { buildIfStale, repositoryFolder } from '../../test/support/build-if-stale.js';
import { connectWhenOpen, freePort } from '../../test/support/ports.js';
import { BrokerChild, type BrokerKind, type RunningBroker, type StartOptions } from './broker.js';

/** As Mosquitto has none here: what is compared is the cost of a message, not of a queue. */
const SETTINGS = {
  DUNLIN_LIMITS__LEGACY_IN_FLIGHT_MAX: '65535',
  DUNLIN_LIMITS__IN_FLIGHT_MAX: '65535',
};
const ENVIRONMENT = Object.entries(SETTINGS).map(([name, value]) => `${name}=${value}`);
const LOG = ['--log-level', 'error', '--log-format', 'json'];

/** Dunlin as it was built in a folder; without one, as it is built here and now. */
export function dunlin(folder: string | undefined): BrokerKind {
  const main = join(folder ?? repositoryFolder, 'dist/server/main.js');
  return {
    name: 'dunlin',
    version: () => packageDescription.version,
    start: async (options) => {
      if (folder === undefined) await buildIfStale();
      else if (!existsSync(main)) throw new Error(`there is no ${main}: build it first`);
      return startDunlin(main, options);
    },
  };
}

/** It writes no log, as Mosquitto does not here; so it cannot say which ports it has. */
async function startDunlin(main: string, options: StartOptions): Promise<RunningBroker> {
  const broker = new BrokerChild();
  const port = await freePort();
  const webSocketPort = options.needsWebSocket ? await freePort() : undefined;
  const listeners = ['--listen', `mqtt://127.0.0.1:${port}`];
  if (webSocketPort !== undefined) {
    listeners.push('--listen', `ws://127.0.0.1:${webSocketPort}/mqtt`);
  }
  const storing = options.needsStore ? ['--data', broker.folder] : ['--in-memory'];
  const node = ['env', ...ENVIRONMENT, process.execPath, ...options.nodeArguments];
  const command = [...node, main, ...listeners, ...storing];
  broker.spawn(options.core, [...command, ...LOG]);
  (await connectWhenOpen(port)).destroy();
  const target = { host: '127.0.0.1', port, webSocketPort, pid: broker.pid };
  const shown = options.needsStore ? '--data FOLDER' : '--in-memory';
  const setup = `${ENVIRONMENT.join(' ')} dunlin ${shown} ${LOG.join(' ')}`;
  return { target, setup, stop: () => broker.stop() };
}
