/** What a proxy says of the connection that it forwards. */
export interface ProxyHeader {
  /** Bytes of the header: the client's own begin behind it. */
  readonly length: number;
  /** Undefined where the proxy speaks for itself or names no address: LOCAL, UNKNOWN, UNSPEC. */
  readonly source: ProxySource | undefined;
  /** The Common Name of the certificate that the client showed the proxy, and the proxy checked. */
  readonly commonName: string | undefined;
}

export interface ProxySource {
  /** An IP address, or undefined for the client of a Unix domain socket. */
  readonly host: string | undefined;
  readonly port: number;
}

/** The bytes are no header; the message says in which way. */
export class ProxyHeaderError extends Error {}

/** Longest header of version 1, its line end included. */
const V1_BYTES_MAX = 107;
const V1_BEGIN = 'PROXY ';
const V2_BEGIN = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const V2_FIXED_BYTES = 16;
/** Proxies may add what they like behind the addresses; nobody needs as much as this. */
const V2_REST_BYTES_MAX = 16_384;

/**
 * The header at the beginning of `bytes`; undefined as long as its end has not come. Throws a
 * `ProxyHeaderError` at the first byte that no header can have.
 *
 *     v1   PROXY TCP4 192.0.2.1 192.0.2.9 4711 1883 CR LF
 *     v2   signature (12)  version|command (1)  family|protocol (1)  length (2)  addresses  TLVs
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  if (bytes.length === 0) return undefined;
  if (startsLike(bytes, V2_BEGIN)) return readVersion2(bytes);
  if (startsLike(bytes, Buffer.from(V1_BEGIN))) return readVersion1(bytes);
  throw new ProxyHeaderError('it does not begin with a PROXY header');
}

function startsLike(bytes: Buffer, begin: Buffer): boolean {
  const length = Math.min(bytes.length, begin.length);
  return bytes.compare(begin, 0, length, 0, length) === 0;
}

function readVersion1(bytes: Buffer): ProxyHeader | undefined {
  const end = bytes.subarray(0, V1_BYTES_MAX).indexOf('\r\n');
  if (end < 0) {
    if (bytes.length >= V1_BYTES_MAX) throw new ProxyHeaderError('the PROXY line does not end');
    return undefined;
  }
  const line = bytes.toString('latin1', 0, end);
  return { length: end + 2, source: sourceOfLine(line), commonName: undefined };
}

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;
const IPV6 = /^[0-9a-f:.]+$/i;

function sourceOfLine(line: string): ProxySource | undefined {
  const words = line.split(' ');
  const [, family, host, destination, port, ...others] = words;
  if (family === 'UNKNOWN') return undefined;
  if (family !== 'TCP4' && family !== 'TCP6') {
    throw new ProxyHeaderError(`the PROXY line names the protocol ${JSON.stringify(family)}`);
  }
  const pattern = family === 'TCP4' ? IPV4 : IPV6;
  const isWhole = others.length === 1 && isPort(port) && isPort(others[0]);
  if (!isWhole || !pattern.test(host ?? '') || !pattern.test(destination ?? '')) {
    throw new ProxyHeaderError('the PROXY line is not two addresses and two ports');
  }
  return { host: host!, port: Number(port) };
}

function isPort(text: string | undefined): boolean {
  return /^\d{1,5}$/.test(text ?? '') && Number(text) <= 65_535;
}

const COMMAND_LOCAL = 0x20;
const COMMAND_PROXY = 0x21;
const FAMILY_UNSPEC = 0;
const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;
const FAMILY_UNIX = 3;
const ADDRESS_BYTES: readonly number[] = [0, 12, 36, 216];

function readVersion2(bytes: Buffer): ProxyHeader | undefined {
  if (bytes.length < V2_FIXED_BYTES) return undefined;
  const command = bytes[12]!;
  if (command !== COMMAND_LOCAL && command !== COMMAND_PROXY) {
    throw new ProxyHeaderError(
      `the PROXY header has the unknown command 0x${command.toString(16)}`,
    );
  }
  const rest = bytes.readUInt16BE(14);
  if (rest > V2_REST_BYTES_MAX) {
    throw new ProxyHeaderError(`the PROXY header has ${rest} bytes of addresses and additions`);
  }
  const length = V2_FIXED_BYTES + rest;
  if (bytes.length < length) return undefined;
  // A health check of the proxy itself, whatever addresses it carries.
  if (command === COMMAND_LOCAL) return { length, source: undefined, commonName: undefined };
  const family = bytes[13]! >>> 4;
  const addressBytes = ADDRESS_BYTES[family];
  if (addressBytes === undefined || addressBytes > rest) {
    throw new ProxyHeaderError('the PROXY header is too short for its addresses');
  }
  const source = sourceOfBlock(bytes.subarray(V2_FIXED_BYTES, length), family);
  const additions = bytes.subarray(V2_FIXED_BYTES + addressBytes, length);
  return { length, source, commonName: commonNameAmong(additions) };
}

function sourceOfBlock(block: Buffer, family: number): ProxySource | undefined {
  switch (family) {
    case FAMILY_UNSPEC:
      return undefined;
    case FAMILY_IPV4:
      return { host: block.subarray(0, 4).join('.'), port: block.readUInt16BE(8) };
    case FAMILY_IPV6:
      return { host: ipv6Text(block), port: block.readUInt16BE(32) };
    case FAMILY_UNIX:
      return { host: undefined, port: 0 };
    default:
      throw new ProxyHeaderError(`the PROXY header names the address family ${family}`);
  }
}

const IPV4_IN_IPV6 = Buffer.from('00000000000000000000ffff', 'hex');

/** In the short form, as the system writes it; an IPv4 address in its IPv6 dress without that. */
function ipv6Text(block: Buffer): string {
  if (block.compare(IPV4_IN_IPV6, 0, 12, 0, 12) === 0) return block.subarray(12, 16).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => block.readUInt16BE(2 * i).toString(16));
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}

const TYPE_SSL = 0x20;
const TYPE_SSL_COMMON_NAME = 0x22;
const SSL_FIXED_BYTES = 5;
const CLIENT_SHOWED_CERTIFICATE = 0x02 | 0x04;

/** Additions are type (1), length (2), value; that of TLS holds more of them behind five bytes. */
function commonNameAmong(additions: Buffer): string | undefined {
  const ssl = additionOf(additions, TYPE_SSL);
  if (ssl === undefined || ssl.length < SSL_FIXED_BYTES) return undefined;
  // What the proxy could not verify proves nothing.
  if ((ssl[0]! & CLIENT_SHOWED_CERTIFICATE) === 0 || ssl.readUInt32BE(1) !== 0) return undefined;
  return additionOf(ssl.subarray(SSL_FIXED_BYTES), TYPE_SSL_COMMON_NAME)?.toString('utf8');
}

function additionOf(additions: Buffer, type: number): Buffer | undefined {
  let at = 0;
  while (at < additions.length) {
    const end = at + 3 <= additions.length ? at + 3 + additions.readUInt16BE(at + 1) : at;
    if (end === at || end > additions.length) {
      throw new ProxyHeaderError('an addition of the PROXY header is cut off');
    }
    if (additions[at] === type) return additions.subarray(at + 3, end);
    at = end;
  }
  return undefined;
}
