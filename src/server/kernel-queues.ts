import { existsSync, readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import type { KernelQueue, KernelQueues } from '../broker/devices/stalled-readers.js';

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];
/** The fields of a line: number, local address, remote address, state, tx_queue:rx_queue. */
const REMOTE = 2;
const QUEUES = 4;
/** Behind the socket's own: the time-out for sending again, in hundredths of a second. */
const RESEND = 12;
const RESEND_UNIT_MS = 10;
/** Where an older system leaves it out. */
const RESEND_MS = 1000;

/**
 * What Linux tells in `/proc/net/tcp` of bytes that peers have not acknowledged; undefined on other
 * systems, which have no such table.
 */
export function linuxKernelQueues(): KernelQueues | undefined {
  const tables = TABLES.filter((table) => existsSync(table));
  if (tables.length === 0) return undefined;
  return (addresses) => {
    const wanted = new Map<string, string>();
    for (const address of addresses) {
      for (const key of keysOf(address)) wanted.set(key, address);
    }
    const queues = new Map<string, KernelQueue>();
    for (const table of tables) readTable(table, wanted, queues);
    return queues;
  };
}

function readTable(
  table: string,
  wanted: ReadonlyMap<string, string>,
  queues: Map<string, KernelQueue>,
): void {
  let text: string;
  try {
    text = readFileSync(table, 'latin1');
  } catch {
    return;
  }
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/, RESEND + 1);
    const address = wanted.get(fields[REMOTE] ?? '');
    if (address === undefined) continue;
    const queuedBytes = Number.parseInt(fields[QUEUES]!, 16);
    const resendMs = Number(fields[RESEND]) * RESEND_UNIT_MS || RESEND_MS;
    queues.set(address, { queuedBytes, resendMs });
  }
}

/** How the tables write an address such as `192.0.2.1:50000`: hexadecimal, words byte-swapped. */
export function keysOf(address: string): string[] {
  const colon = address.lastIndexOf(':');
  const port = Number(address.slice(colon + 1));
  const host = address.slice(0, colon);
  const portKey = port.toString(16).toUpperCase().padStart(4, '0');
  if (isIPv4(host)) {
    const word = hex(host.split('.').map(Number).reverse());
    return [`${word}:${portKey}`, `0000000000000000FFFF0000${word}:${portKey}`];
  }
  const bytes = ipv6Bytes(host.replace(/^\[|\]$/g, ''));
  if (bytes === undefined) return [];
  let key = '';
  for (let at = 0; at < 16; at += 4) key += hex(bytes.slice(at, at + 4).reverse());
  return [`${key}:${portKey}`];
}

function ipv6Bytes(host: string): number[] | undefined {
  const [head = '', tail] = host.split('%')[0]!.split('::');
  const first = groups(head);
  const last = tail === undefined ? [] : groups(tail);
  const missing = 8 - first.length - last.length;
  if (missing < 0 || (tail === undefined && missing > 0)) return undefined;
  const all = [...first, ...new Array<number>(missing).fill(0), ...last];
  return all.flatMap((group) => [group >>> 8, group & 0xff]);
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

function hex(bytes: readonly number[]): string {
  return bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join('');
}
