/** A certificate that is shown to clients which ask for one of these names. */
export interface NamedCertificate {
  /** Such as `mqtt.example.org` or `*.example.org`. */
  readonly names: readonly string[];
  readonly certificate: string;
  readonly key: string;
}

/** TLS of one listener. Files are in PEM, and are read again when they change. */
export interface TlsOptions {
  /** Needed unless there is a `pskFile`. */
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
  /** Clients that ask for less (max_fragment_length) get less. */
  readonly recordBytesMax: number | undefined;
  readonly sni: readonly NamedCertificate[];
  /** From the first byte of a handshake to its end. */
  readonly handshakeSecondsMax: number;
  /** Handshakes begun in a second; the others wait. */
  readonly handshakesPerSecondMax: number;
  /** Handshakes begun and not ended; beyond it the oldest makes room. */
  readonly handshakesMax: number;
}

const TLS13_SUITES = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
];

/** ECDSA first: its signatures are smaller and cheaper, for us and for small devices. */
const CERTIFICATE_SUITES = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-CCM',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/** Those with ephemeral keys first; the plain ones are what the smallest devices have. */
const PSK_SUITES = [
  'ECDHE-PSK-CHACHA20-POLY1305',
  'ECDHE-PSK-AES128-CBC-SHA256',
  'PSK-AES128-GCM-SHA256',
  'PSK-AES256-GCM-SHA384',
  'PSK-CHACHA20-POLY1305',
  'PSK-AES128-CCM',
  'PSK-AES128-CBC-SHA256',
];

/** The suites of a listener in OpenSSL's words, in the order of preference. */
export function cipherSuites({ ciphers, certificate, pskFile }: TlsOptions): string {
  if (ciphers !== undefined) return ciphers;
  return [
    ...TLS13_SUITES,
    ...(certificate === undefined ? [] : CERTIFICATE_SUITES),
    ...(pskFile === undefined ? [] : PSK_SUITES),
  ].join(':');
}
