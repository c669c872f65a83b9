/** The first file descriptor that systemd hands to a process; the others follow. */
const FIRST = 3;

/**
 * The sockets that systemd has opened for this process (sd_listen_fds(3)), by the name of each,
 * which is `FileDescriptorName=` of the unit or the unit's own; none where it has opened none.
 */
export function inheritedSockets(
  environment: NodeJS.ProcessEnv,
  processId: number,
): ReadonlyMap<string, number> {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES = '' } = environment;
  const count = Number(LISTEN_FDS ?? 0);
  // They may be meant for somebody who started this process.
  if (Number(LISTEN_PID) !== processId || !Number.isInteger(count)) return new Map();
  const names = LISTEN_FDNAMES.split(':');
  const sockets = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const name = names[i] ?? '';
    // Those without a name, and a second one of the same name, are called by their number.
    const key = name === '' || name === 'unknown' || sockets.has(name) ? `${FIRST + i}` : name;
    sockets.set(key, FIRST + i);
  }
  return sockets;
}
