import { BlockList, isIP } from 'node:net';
import type { ListenAddress } from '../transport/listener.js';

const SCHEMES: Readonly<Record<string, { port: number; path: string }>> = {
  mqtt: { port: 1883, path: '' },
  ws: { port: 8080, path: '/mqtt' },
};

const LATER_SCHEMES = ['mqtts', 'ssl', 'tls', 'wss', 'https', 'unix', 'mqtt+unix', 'quic'];

/** The address that a URL names, or a sentence that says what is wrong with it. */
export function parseListenUrl(text: string): ListenAddress | string {
  const [, scheme, rest] = /^([a-z+]+):\/\/(.*)$/is.exec(text.trim()) ?? [];
  if (scheme === undefined || rest === undefined) {
    return `expected a URL such as mqtt://127.0.0.1:1883 or ws://127.0.0.1:8080/mqtt`;
  }
  if (LATER_SCHEMES.includes(scheme.toLowerCase())) {
    return `${scheme}:// is not available in this version; there are mqtt:// and ws://`;
  }
  const known = Object.hasOwn(SCHEMES, scheme.toLowerCase()) && SCHEMES[scheme.toLowerCase()];
  if (!known) return `${scheme}:// is unknown; there are mqtt:// and ws://`;
  // A scheme that the URL standard does not know keeps port 80, which it would drop from ws://.
  const url = URL.canParse(`mqtt://${rest}`) ? new URL(`mqtt://${rest}`) : undefined;
  if (url === undefined || url.hostname === '') {
    return `expected a host and a port from 0 to 65535, such as ${scheme}://127.0.0.1:${known.port}`;
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    return 'expected nothing but host, port and path in the URL';
  }
  const path = url.pathname.replace(/^\/$/, '');
  if (scheme.toLowerCase() === 'mqtt' && path !== '') return 'expected no path behind mqtt://';
  return {
    scheme: scheme.toLowerCase() as 'mqtt' | 'ws',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? known.port : Number(url.port),
    path: path === '' ? known.path : path,
  };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether only programs on this machine can reach the host. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host === 'localhost';
  return loopback.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
