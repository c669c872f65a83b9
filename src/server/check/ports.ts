import { access, constants, readFile, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import { bind } from '../../transport/bind.js';
import { type ListenAddress, ListenError } from '../../transport/listener.js';
import type { Config } from '../config.js';
import { describeListenFault } from '../listen-fault.js';
import { portHolder } from '../port-owner.js';
import type { Finding } from './finding.js';

/** Whether all addresses can be opened; those that a running broker has are well in its hands. */
export async function checkPorts(config: Config): Promise<readonly Finding[]> {
  const servers = config.listen.map(() => createServer((socket) => socket.destroy()));
  // All at once, so that two listeners of one configuration meet each other.
  const found = await Promise.all(
    config.listen.map(async ({ url }, i): Promise<Finding[]> => {
      const isTwice = config.listen.slice(0, i).some((other) => isSame(other.url, url));
      const sentence = isTwice ? twice(url) : await faultOf(url, servers[i]!);
      return sentence === undefined
        ? []
        : [{ severity: 'error', place: `listen[${i}].url`, sentence }];
    }),
  );
  for (const server of servers) server.close();
  return found.flat();
}

/** Also where a running broker has it, which would hide it. */
function isSame(one: ListenAddress, other: ListenAddress): boolean {
  if (one.port === 0 || one.socketFile !== undefined || one.systemdName !== undefined) return false;
  return one.host === other.host && one.port === other.port;
}

function twice({ port }: ListenAddress): string {
  return `another listener of this configuration opens port ${port} as well`;
}

async function faultOf(address: ListenAddress, server: Server): Promise<string | undefined> {
  if (address.systemdName !== undefined) return undefined;
  if (address.socketFile !== undefined) return socketFileFault(address.socketFile);
  try {
    await bind(server, { address, onFault: () => {} });
    return undefined;
  } catch (error) {
    const isTaken = error instanceof ListenError && error.code === 'EADDRINUSE';
    const holder = isTaken ? await portHolder(address.port) : undefined;
    if (holder?.pid === process.pid) {
      return twice(address);
    }
    return (await isBroker(holder?.pid)) ? undefined : describeListenFault(error);
  }
}

/** Binding it would leave a file behind. */
async function socketFileFault(file: string): Promise<string | undefined> {
  const folder = dirname(file);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    return `${file} cannot be made: ${(error as Error).message}`;
  }
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || found.isSocket()) return undefined;
  return `${file} is there already and is no socket: remove it, or choose another path`;
}

/** Another process that runs this same program, and not `check`. */
async function isBroker(pid: number | undefined): Promise<boolean> {
  if (pid === undefined) return false;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return command.split('\0').includes(process.argv[1] ?? '');
}
