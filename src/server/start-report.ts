import { resolve } from 'node:path';
import { urlOf } from '../transport/listener.js';
import { letsAnonymousIn, methodsOf } from './config/doors.js';
import type { Config } from './config.js';
import { isLocal } from './listen-url.js';

export interface StartFacts {
  readonly version: string;
  readonly addresses: readonly string[];
  readonly config: Config;
  readonly readyMs: number;
}

const PROMISES: Readonly<Record<Config['durability'], string>> = {
  power: 'power     what is acknowledged survives a power cut',
  process: 'process   what is acknowledged survives a crash of the broker, not a power cut',
  memory: 'memory    nothing survives a restart',
};

const KINDS: Readonly<Record<string, string>> = {
  mqtt: 'MQTT',
  unix: 'MQTT',
  mqtts: 'MQTT, TLS',
  ws: 'WebSocket',
  wss: 'WebSocket, TLS',
};

/** What a person wants to know when the broker has started. */
export function startReport({ version, addresses, config, readyMs }: StartFacts): string {
  const rows: [string, string][] = addresses.map((url) => [KINDS[/^[a-z]+/.exec(url)![0]]!, url]);
  rows.push(['Data', keepsNothing(config) ? 'in memory only' : resolve(config.data)]);
  rows.push(['Durability', PROMISES[keepsNothing(config) ? 'memory' : config.durability]]);
  rows.push(['Reached by', reachSentence(config)]);
  rows.push(['Access', accessSentence(config)]);
  const width = Math.max(12, ...rows.map(([name]) => name.length + 2));
  const lines = rows.map(([name, value]) => `  ${name.padEnd(width)}${value}`);
  return `\ndunlin ${version}   ready in ${readyMs} ms\n\n${lines.join('\n')}\n\n`;
}

export function keepsNothing(config: Config): boolean {
  return config.inMemory || config.durability === 'memory';
}

function reachSentence({ listen }: Config): string {
  const far = listen.filter(({ url }) => !isLocal(url)).map(({ url }) => urlOf(url));
  return far.length === 0 ? 'this machine alone' : `other machines too, at ${far.join(', ')}`;
}

function accessSentence(config: Config): string {
  const { listen } = config;
  const asked = new Set(listen.flatMap((each) => methodsOf(each, config)));
  const open = listen.filter((each) => letsAnonymousIn(each, config));
  const methods = `clients that show who they are (${[...asked].join(', ')})`;
  if (asked.size > 0 && open.length === 0) return methods;
  if (asked.size > 0) {
    const urls = open.map(({ url }) => urlOf(url)).join(', ');
    return `${methods}; without a password at ${urls}`;
  }
  if (listen.length > 0 && open.length === 0) return 'clients with a certificate';
  return config.allowAnonymous
    ? 'everybody who reaches these addresses, without a password (--allow-anonymous)'
    : 'programs on this machine, without a password';
}
