import { count, httpUrl, path, text, yesOrNo } from './values.js';
import { type Entry, key, list, optional, required, section } from './vocabulary.js';

/** A certificate from a public authority, kept fresh by itself (RFC 8555). */
export interface AcmeConfig {
  readonly names: readonly string[];
  readonly email: string | undefined;
  readonly acceptTerms: boolean;
  readonly directoryUrl: string;
  readonly folder: string;
  readonly httpHost: string;
  readonly httpPort: number;
}

export const acme: Entry<AcmeConfig> = section<AcmeConfig>({
  names: required(
    list(text('a host name')),
    'Public host names of this broker, which the certificate is for.',
  ),
  email: optional(text('an address'), 'none', 'Where the authority writes to about the account.'),
  acceptTerms: required(
    yesOrNo(),
    'Says that you have read and accepted the terms of the authority.',
  ),
  directoryUrl: key(
    httpUrl(),
    'https://acme-v02.api.letsencrypt.org/directory',
    'The directory of the authority.',
  ),
  folder: key(
    path('a folder'),
    './dunlin-acme',
    'Where `certificate.pem`, `key.pem` and `account-key.pem` are kept; name the first two in `tls`.',
  ),
  httpHost: key(text('an address'), '0.0.0.0', 'Where its questions are answered (http-01).'),
  httpPort: key(
    count(1, 65_535),
    80,
    'The port for them; the authority always comes to port 80 of the names.',
  ),
});
