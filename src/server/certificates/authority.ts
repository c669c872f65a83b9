import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

/**
 * A certificate authority for one house: it signs the broker's certificate, and the devices are
 * given its own certificate to trust. Keys are ECDSA on P-256, which small devices check quickly.
 */
export interface Authority {
  /** In PEM, for those who are to trust it. */
  readonly certificate: string;
  /** In PEM, PKCS #8. */
  readonly privateKey: string;
}

/** A certificate and its key, both in PEM. */
export interface CertificatePair {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface AuthorityOptions {
  readonly commonName: string;
  readonly days: number;
  /** Wall-clock time from which it counts; an hour earlier, for clocks that are late. */
  readonly nowMs: number;
}

export interface CertificateOptions extends AuthorityOptions {
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
  readonly usage: 'server' | 'client';
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
const CLOCK_SLACK_MS = 3_600_000;
const SERIAL_BYTES = 16;

export async function createAuthority(options: AuthorityOptions): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...common(options),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), privateKey: await privatePem(keys.privateKey) };
}

export async function issueCertificate(
  authority: Authority,
  options: CertificateOptions,
): Promise<CertificatePair> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const usage =
    options.usage === 'server'
      ? x509.ExtendedKeyUsage.serverAuth
      : x509.ExtendedKeyUsage.clientAuth;
  const certificate = await x509.X509CertificateGenerator.create({
    ...common(options),
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await signingKey(authority.privateKey),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      new x509.SubjectAlternativeNameExtension(options.names.map(generalName)),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { certificate: pem(certificate), privateKey: await privatePem(keys.privateKey) };
}

/** A list of what is revoked, in PEM; `revoked` are serial numbers in hex, as certificates show. */
export async function revocationList(
  authority: Authority,
  revoked: readonly string[],
  nowMs: number,
): Promise<string> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const list = await x509.X509CrlGenerator.create({
    issuer: issuer.subject,
    thisUpdate: new Date(nowMs - CLOCK_SLACK_MS),
    nextUpdate: new Date(nowMs + 30 * DAY_MS),
    signingAlgorithm: ALGORITHM,
    signingKey: await signingKey(authority.privateKey),
    entries: revoked.map((serialNumber) => ({ serialNumber, revocationDate: new Date(nowMs) })),
  });
  return ended(x509.PemConverter.encode(list.rawData, 'X509 CRL'));
}

/** The serial number in hex. */
export function serialNumberOf(certificate: string): string {
  return new x509.X509Certificate(certificate).serialNumber;
}

function common({ commonName, days, nowMs }: AuthorityOptions) {
  return {
    serialNumber: serialNumber(),
    subject: new x509.Name([{ CN: [commonName] }]).toString(),
    name: new x509.Name([{ CN: [commonName] }]).toString(),
    notBefore: new Date(nowMs - CLOCK_SLACK_MS),
    notAfter: new Date(nowMs + days * DAY_MS),
  };
}

/** Positive, as RFC 5280 asks: the first bit is clear. */
function serialNumber(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function generalName(name: string): x509.JsonGeneralName {
  return { type: isIP(name) === 0 ? 'dns' : 'ip', value: name };
}

function pem(certificate: x509.X509Certificate): string {
  return ended(certificate.toString('pem'));
}

function ended(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = await webcrypto.subtle.exportKey('pkcs8', key);
  return ended(x509.PemConverter.encode(bytes, 'PRIVATE KEY'));
}

async function signingKey(privateKey: string): Promise<webcrypto.CryptoKey> {
  const bytes = x509.PemConverter.decode(privateKey)[0]!;
  return webcrypto.subtle.importKey('pkcs8', bytes, ALGORITHM, false, ['sign']);
}
