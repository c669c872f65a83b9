import { BlockList, isIP } from 'node:net';
import type { ListenAddress } from '../transport/listener.js';

type Scheme = ListenAddress['scheme'];

const SCHEMES: Readonly<Record<Scheme, { port: number; path: string }>> = {
  mqtt: { port: 1883, path: '' },
  mqtts: { port: 8883, path: '' },
  ws: { port: 8080, path: '/mqtt' },
  wss: { port: 8443, path: '/mqtt' },
};

/** Names that other programs have for the same. */
const OTHER_NAMES: Readonly<Record<string, Scheme>> = {
  tcp: 'mqtt',
  ssl: 'mqtts',
  tls: 'mqtts',
  http: 'ws',
  https: 'wss',
};

const KNOWN = 'there are mqtt, mqtts, ws, wss, unix and systemd';

/** The address that a URL names, or a sentence that says what is wrong with it. */
export function parseListenUrl(text: string): ListenAddress | string {
  const written = text.trim();
  const place = /^(?:([a-z]+)\+)?(unix|systemd):(.*)$/is.exec(written);
  if (place !== null) return parsePlace(place[1], place[2]!, place[3]!);
  const [, name, rest] = /^([a-z+]+):\/\/(.*)$/is.exec(written) ?? [];
  if (name === undefined || rest === undefined) {
    return `expected a URL such as mqtt://127.0.0.1:1883 or ws://127.0.0.1:8080/mqtt`;
  }
  const scheme = schemeOf(name);
  if (scheme === undefined) return unknownScheme(`${name}://`, name);
  const known = SCHEMES[scheme];
  // A scheme that the URL standard does not know keeps port 80, which it would drop from ws://.
  const url = URL.canParse(`mqtt://${rest}`) ? new URL(`mqtt://${rest}`) : undefined;
  if (url === undefined || url.hostname === '') {
    return `expected a host and a port from 0 to 65535, such as ${scheme}://127.0.0.1:${known.port}`;
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    return 'expected nothing but host, port and path in the URL';
  }
  const path = url.pathname.replace(/^\/$/, '');
  if (known.path === '' && path !== '') return `expected no path behind ${scheme}://`;
  return {
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? known.port : Number(url.port),
    path: path === '' ? known.path : path,
  };
}

/** `unix:/run/dunlin.sock`, `systemd:NAME`, and with another protocol in front `ws+unix:…`. */
function parsePlace(
  spoken: string | undefined,
  kind: string,
  rest: string,
): ListenAddress | string {
  const scheme = spoken === undefined ? 'mqtt' : schemeOf(spoken);
  if (scheme === undefined) return unknownScheme(`${spoken}+${kind}:`, spoken!);
  const base = { scheme, host: '', port: 0, path: SCHEMES[scheme].path };
  if (kind.toLowerCase() === 'systemd') {
    const systemdName = rest.replace(/^\/\//, '');
    if (/^[^\s:/]+$/.test(systemdName)) return { ...base, systemdName };
    return 'expected the name of a socket that systemd opens, such as systemd:dunlin.socket';
  }
  // unix:///run/x is unix:/run/x.
  const socketFile = rest.replace(/^\/\/(?=\/)/, '');
  if (socketFile.startsWith('/') && !/^\/\/|\/$|\0/.test(socketFile))
    return { ...base, socketFile };
  return 'expected the whole path of a socket file, such as unix:/run/dunlin/mqtt.sock';
}

function schemeOf(name: string): Scheme | undefined {
  const lower = name.toLowerCase();
  return Object.hasOwn(SCHEMES, lower) ? (lower as Scheme) : undefined;
}

function unknownScheme(written: string, name: string): string {
  const other = name.toLowerCase();
  const same = Object.hasOwn(OTHER_NAMES, other)
    ? `, so write ${OTHER_NAMES[other]} in its place`
    : '';
  return `${written} is unknown; ${KNOWN}${same}`;
}

/** Whether TLS is spoken on it. */
export function isSecure({ scheme }: Pick<ListenAddress, 'scheme'>): boolean {
  return scheme === 'mqtts' || scheme === 'wss';
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

/** Whether only programs on this machine can reach the address; nobody knows what systemd opens. */
export function isLocal({ host, socketFile, systemdName }: ListenAddress): boolean {
  if (systemdName !== undefined) return false;
  return socketFile !== undefined || isLoopback(host);
}
