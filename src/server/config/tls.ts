import type { NamedCertificate, TlsOptions } from '../../transport/tls-options.js';
import { count, oneOf, path, seconds, size, text } from './values.js';
import { type Entry, key, list, optional, required, section } from './vocabulary.js';

const sni: Entry<NamedCertificate> = section<NamedCertificate>({
  names: required(list(text('a host name')), 'Host names that clients ask for.'),
  certificate: required(path('a file'), 'Certificate chain in PEM for these names.'),
  key: required(path('a file'), 'Private key in PEM of that certificate.'),
});

export const tls: Entry<TlsOptions> = section<TlsOptions>({
  certificate: optional(
    path('a file'),
    'none',
    "Certificate chain in PEM, the server's own first.",
  ),
  key: optional(path('a file'), 'none', 'Private key in PEM of the certificate.'),
  ca: optional(
    path('a file'),
    'none',
    'Authorities in PEM that client certificates must come from.',
  ),
  clientCertificate: key(
    oneOf('none', 'optional', 'required'),
    'none',
    'Whether clients are asked for a certificate, and whether they need one.',
  ),
  userNameFrom: optional(
    oneOf('cn', 'san', 'fingerprint'),
    'not taken',
    'What of a client certificate becomes the user name.',
  ),
  revocationList: optional(path('a file'), 'none', 'Revoked client certificates, in PEM.'),
  pskFile: optional(path('a file'), 'none', 'Pre-shared keys, one `identity:key` in hex a line.'),
  pskHint: optional(text('a hint'), 'none', 'Hint that tells clients which pre-shared key to use.'),
  versions: key(list(oneOf('1.2', '1.3')), ['1.2', '1.3'], 'Versions of TLS that are let in.'),
  ciphers: optional(
    text('cipher names'),
    'ECDSA first, forward secrecy',
    'Cipher suites in the words of OpenSSL, in the order of preference.',
  ),
  recordBytesMax: optional(
    size(512, 16_384),
    '16KiB',
    'Largest TLS record sent, for clients with small buffers.',
  ),
  handshakeSecondsMax: key(
    seconds(1, 3600),
    '20s',
    'Time for a TLS handshake, from the connection to its end.',
  ),
  handshakesPerSecondMax: key(
    count(1, 1_000_000),
    300,
    'TLS handshakes begun in a second; beyond it they wait, by turns of their addresses.',
  ),
  handshakesMax: key(
    count(1, 1_000_000),
    1000,
    'TLS handshakes going on at a time; beyond it one is ended, of the address with most of them.',
  ),
  sni: key(list(sni, { emptyToo: true }), [], 'Further certificates, by the name asked for.'),
});
