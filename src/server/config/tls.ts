import { oneOf, path, size, text } from './values.js';
import { type Entry, key, list, optional, required, section } from './vocabulary.js';

/** A certificate that is shown to clients which ask for one of these names. */
export interface SniConfig {
  readonly names: readonly string[];
  readonly certificate: string;
  readonly key: string;
}

export interface TlsConfig {
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly ca: string | undefined;
  readonly clientCertificate: 'none' | 'optional' | 'required';
  readonly userNameFrom: 'cn' | 'san' | 'fingerprint' | undefined;
  readonly revocationList: string | undefined;
  readonly pskFile: string | undefined;
  readonly pskHint: string | undefined;
  readonly versions: readonly ('1.2' | '1.3')[];
  readonly ciphers: string | undefined;
  readonly recordBytesMax: number | undefined;
  readonly sni: readonly SniConfig[];
}

const sni: Entry<SniConfig> = section<SniConfig>({
  names: required(list(text('a host name')), 'Host names that clients ask for.'),
  certificate: required(path('a file'), 'Certificate chain in PEM for these names.'),
  key: required(path('a file'), 'Private key in PEM of that certificate.'),
});

export const tls: Entry<TlsConfig> = section<TlsConfig>({
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
  ciphers: optional(text('cipher names'), "Node's", 'Cipher suites in the order of preference.'),
  recordBytesMax: optional(
    size(512, 16_384),
    '16KiB',
    'Largest TLS record sent, for clients with small buffers.',
  ),
  sni: key(list(sni, { emptyToo: true }), [], 'Further certificates, by the name asked for.'),
});
