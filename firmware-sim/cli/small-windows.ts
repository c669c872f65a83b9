import { spawn, spawnSync } from 'node:child_process';
import type { ScenarioResult } from '../scenario/run.js';

/** Tells the copy of this program that it is inside. */
export const INSIDE_FLAG = '--in-small-windows';

/** What a device with little memory lets be under way; loopback as it is takes megabytes. */
const RECEIVE_WINDOW_BYTES = 8192;
/** The operator's to set, not the broker's: `net.ipv4.tcp_wmem`. */
const SEND_BUFFER_BYTES = 65_536;
const PACKET_BYTES = 1500;
const SET_UP = [
  'ip link set lo up',
  `ip link set lo mtu ${PACKET_BYTES}`,
  `echo 4096 ${RECEIVE_WINDOW_BYTES} ${RECEIVE_WINDOW_BYTES} > /proc/sys/net/ipv4/tcp_rmem`,
  `echo 4096 16384 ${SEND_BUFFER_BYTES} > /proc/sys/net/ipv4/tcp_wmem`,
  'exec "$@"',
].join(' && ');
const COMMAND = ['unshare', '-rn', 'sh', '-c', SET_UP, 'sh'] as const;

/** Linux alone, and only where it lets this user have a network of their own. */
export function canHaveSmallWindows(): boolean {
  const [program, ...rest] = [...COMMAND, 'true'];
  return spawnSync(program, rest, { stdio: 'ignore' }).status === 0;
}

/**
 * Runs this program once more, broker and all, in a network of its own whose windows are those of
 * small devices. `flags`: one scenario, without `--json`. Undefined when it came to no report.
 */
export async function runInSmallWindows(
  flags: readonly string[],
): Promise<ScenarioResult | undefined> {
  const self = [process.execPath, ...process.execArgv, process.argv[1]!];
  const [program, ...rest] = [...COMMAND, ...self, ...flags, INSIDE_FLAG, '--json', '-'];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  try {
    const report = JSON.parse(output) as { readonly scenarios: readonly ScenarioResult[] };
    return report.scenarios[0];
  } catch {
    return undefined;
  }
}
