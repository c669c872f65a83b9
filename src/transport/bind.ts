import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import {
  type AddressInfo,
  connect,
  type Server,
  type ListenOptions as SystemOptions,
} from 'node:net';
import { dirname } from 'node:path';
import {
  LISTEN_BACKLOG,
  type ListenAddress,
  ListenError,
  type ListenOptions,
  urlOf,
} from './listener.js';

/** Of `sockaddr_un` in Linux, without the zero at its end. */
const SOCKET_PATH_BYTES_MAX = 107;

/** Binds any server of `node:net` and tells its real URL; rejects with a `ListenError`. */
export async function bind(server: Server, options: ListenOptions): Promise<string> {
  const { address } = options;
  const { socketFile } = address;
  try {
    if (socketFile === undefined) await listening(server, whereOf(address, options));
    else await bindFile(server, socketFile, options);
  } catch (error) {
    server.close();
    throw new ListenError(address, error as NodeJS.ErrnoException);
  }
  server.on('error', (error) => {
    options.onFault(`a connection could not be accepted: ${error.message}`);
  });
  return urlOf(boundAddress(server, address));
}

/** What the system says: it chose the port 0 stands for, and systemd chose everything. */
function boundAddress(server: Server, configured: ListenAddress): ListenAddress {
  const bound = server.address() as AddressInfo | string | null;
  if (configured.socketFile !== undefined || bound === null) return configured;
  const { scheme, path, systemdName } = configured;
  if (typeof bound === 'string') return { scheme, host: '', port: 0, path, socketFile: bound };
  const host = systemdName === undefined ? configured.host : bound.address;
  return { scheme, host, port: bound.port, path };
}

async function bindFile(server: Server, file: string, options: ListenOptions): Promise<void> {
  // The system would cut it off in silence.
  if (Buffer.byteLength(file) > SOCKET_PATH_BYTES_MAX) throw fault('ENAMETOOLONG');
  // Which the system would tell as a want of rights.
  if (!existsSync(dirname(file))) throw fault('ENOENT');
  await removeStaleSocket(file);
  const mode = options.socketMode;
  // It is bound inside the call: at no time may others connect than those of the mode.
  const umask = mode === undefined ? undefined : process.umask(0o777 & ~mode);
  const bound = listening(server, { path: file, backlog: LISTEN_BACKLOG });
  if (umask !== undefined) process.umask(umask);
  await bound;
  if (mode !== undefined) chmodSync(file, mode);
}

function whereOf(address: ListenAddress, { inherited }: ListenOptions): SystemOptions {
  const { host, port, systemdName } = address;
  if (systemdName === undefined) return { host, port, backlog: LISTEN_BACKLOG, exclusive: true };
  const fd = inherited?.get(systemdName);
  if (fd === undefined) throw noSuchSocket(systemdName, inherited);
  // Types do not know it: a descriptor that listens already.
  return { fd } as SystemOptions;
}

function noSuchSocket(name: string, inherited: ReadonlyMap<string, number> = new Map()): Error {
  if (inherited.size === 0) {
    return new Error(
      'systemd has given no sockets to this process: start it by its .socket unit (systemctl start dunlin.socket)',
    );
  }
  const names = [...inherited.keys()].join(', ');
  return new Error(
    `systemd has given no socket of this name, only ${names}: see FileDescriptorName=, not ${name}`,
  );
}

function listening(server: Server, where: SystemOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/**
 * A broker that was killed leaves the file of its socket behind, and nobody can bind it then. It is
 * removed only when nobody answers there; a file of any other kind never is.
 */
async function removeStaleSocket(file: string): Promise<void> {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw fault('ENOTSOCK');
  const refused = await connectFault(file);
  if (refused === undefined) throw fault('EADDRINUSE');
  if (refused.code !== 'ECONNREFUSED') throw refused;
  unlinkSync(file);
}

function fault(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

function connectFault(file: string): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const socket = connect(file, () => {
      socket.destroy();
      resolve(undefined);
    });
    socket.on('error', resolve);
  });
}
