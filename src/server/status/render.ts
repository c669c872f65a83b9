import { createHash } from 'node:crypto';
import type { Snapshot } from './snapshot.js';

const STYLE =
  'body{font:15px/1.4 system-ui,sans-serif;margin:2em auto;max-width:60em;padding:0 1em}' +
  'table{border-collapse:collapse;width:100%;margin:.5em 0 2em}td,th{text-align:left;' +
  'padding:.2em .8em .2em 0;border-bottom:1px solid #ccc;vertical-align:top}' +
  'td.n{text-align:right;font-variant-numeric:tabular-nums}tr.bad td{background:#fee}';

/** No script, no frame, no form, nothing from elsewhere: only the style above. */
export const CONTENT_SECURITY_POLICY: string = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const REFRESH_SECONDS = 10;
/** Below it a client is in trouble. */
const SCORE_FINE = 90;
const MIB = 1_048_576;

/** The page: everything that clients have chosen is text in it, whatever it looks like. */
export function renderPage(snapshot: Snapshot): string {
  const { version, node, uptimeSeconds, memoryBytes, durability, storeWorks } = snapshot;
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="refresh" content="${REFRESH_SECONDS}"><title>Dunlin</title>`,
    `<style>${STYLE}</style></head><body><h1>Dunlin ${text(version)}</h1><p>`,
    `Up for ${duration(uptimeSeconds)} on Node.js ${text(node)}, `,
    `${Math.round(memoryBytes / MIB)} MiB of memory, durability ${text(durability)}. `,
    storeWorks ? '' : '<strong>The store has failed: nothing is acknowledged.</strong>',
    '</p>',
    table(
      ['listener'],
      snapshot.listeners.map((url) => `<tr><td>${text(url)}</td></tr>`),
    ),
    table(['what', 'how many'], counts(snapshot).map(countRow)),
    `<h2>Clients</h2>`,
    table(['client', 'is', 'score', 'what stands out'], snapshot.clients.map(clientRow)),
    '</body></html>\n',
  ].join('');
}

function counts(snapshot: Snapshot): (readonly [string, number])[] {
  const { connections, sessions, retainedMessages, retainedBytes, statistics } = snapshot;
  const { dropped, ...plain } = statistics;
  const named = Object.entries(plain).filter((entry) => typeof entry[1] === 'number');
  return [
    ['connections', connections],
    ['sessions', sessions],
    ['retained messages', retainedMessages],
    ['retained bytes', retainedBytes],
    ...named.map(([name, value]) => [words(name), value as number] as const),
    ...Object.entries(dropped).map(
      ([reason, value]) => [`dropped: ${reason.replaceAll('_', ' ')}`, value] as const,
    ),
  ];
}

function countRow([name, value]: readonly [string, number]): string {
  return `<tr><td>${text(name)}</td><td class="n">${value.toLocaleString('en')}</td></tr>`;
}

function clientRow(client: Snapshot['clients'][number]): string {
  const { clientIdentifier, isConnected, score, sentence } = client;
  return (
    `<tr${score < SCORE_FINE ? ' class="bad"' : ''}><td>${text(clientIdentifier)}</td>` +
    `<td>${isConnected ? 'connected' : 'away'}</td><td class="n">${score}</td>` +
    `<td>${text(sentence)}</td></tr>`
  );
}

function table(head: readonly string[], rows: readonly string[]): string {
  const cells = head.map((name) => `<th>${name}</th>`).join('');
  return `<table><tr>${cells}</tr>${rows.join('')}</table>`;
}

/** `publishReceived` is publish received. */
function words(name: string): string {
  return name.replaceAll(/[A-Z]+/g, (letters) => ` ${letters.toLowerCase()}`);
}

function duration(seconds: number): string {
  const [days, hours, minutes] = [86_400, 3600, 60].map((unit) => Math.floor(seconds / unit));
  if (days! > 0) return `${days} d ${hours! % 24} h`;
  return hours! > 0 ? `${hours} h ${minutes! % 60} min` : `${minutes} min ${seconds % 60} s`;
}

const ESCAPED: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function text(words: string): string {
  return words.replaceAll(/[&<>"']/g, (character) => ESCAPED[character]!);
}
