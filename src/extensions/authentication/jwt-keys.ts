import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { type KeySetFailed, remoteKeySet } from './remote-key-set.js';

export interface JwtKeySettings {
  readonly algorithms: readonly string[];
  readonly secret: string | undefined;
  /** A file in PEM. */
  readonly publicKey: string | undefined;
  /** A file, or a URL. */
  readonly jwks: string | undefined;
}

const RSA_BITS_MIN = 2048;
const CURVES: Readonly<Record<string, string>> = {
  ES256: 'prime256v1',
  ES384: 'secp384r1',
  ES512: 'secp521r1',
};

/** What verifies signatures of each kind, or sentences that say what is wrong with the settings. */
export async function readJwtKeys(
  settings: JwtKeySettings,
  failed: KeySetFailed = () => {},
): Promise<JWTVerifyGetKey | readonly string[]> {
  const { publicKey, jwks } = settings;
  const secret = settings.secret === undefined ? undefined : Buffer.from(settings.secret);
  const faults = judge(settings, secret?.length);
  const key = publicKey === undefined ? undefined : await readPublicKey(publicKey);
  if (typeof key === 'string') faults.push(key);
  else if (key !== undefined) faults.push(...judgeKey(key, settings.algorithms, publicKey!));
  const keySet = jwks === undefined ? undefined : await readKeySet(jwks, failed);
  if (typeof keySet === 'string') faults.push(keySet);
  if (faults.length > 0) return faults.map((fault) => `authentication.jwt.${fault}`);
  // A secret serves HMAC alone, and public keys all else: neither is ever taken for the other.
  return async (header, token) => {
    if (isHmac(header.alg)) return secret!;
    return (key as KeyObject | undefined) ?? (keySet as JWTVerifyGetKey)(header, token);
  };
}

function isHmac(algorithm: string): boolean {
  return algorithm.startsWith('HS');
}

function judge(settings: JwtKeySettings, secretBytes: number | undefined): string[] {
  const { algorithms, publicKey, jwks } = settings;
  const hmac = algorithms.filter(isHmac);
  const others = algorithms.filter((algorithm) => !isHmac(algorithm));
  const faults = [];
  if (hmac.length > 0 && secretBytes === undefined) {
    faults.push(`secret: ${hmac.join(', ')} cannot be verified without it`);
  }
  if (hmac.length === 0 && secretBytes !== undefined) {
    faults.push('secret: it is for HS256, HS384 and HS512, and none of them is among algorithms');
  }
  const bytesMin = Math.max(...hmac.map((algorithm) => Number(algorithm.slice(2)) / 8), 0);
  if (secretBytes !== undefined && secretBytes < bytesMin) {
    faults.push(
      `secret: it has ${secretBytes} bytes, and ${hmac.join(', ')} need ${bytesMin} or more`,
    );
  }
  if (others.length > 0 && publicKey === undefined && jwks === undefined) {
    faults.push(`public_key: ${others.join(', ')} cannot be verified without it or jwks`);
  }
  if (others.length === 0 && (publicKey !== undefined || jwks !== undefined)) {
    faults.push(
      'algorithms: there is none that a public key is for, such as RS256, ES256 or EdDSA',
    );
  }
  if (publicKey !== undefined && jwks !== undefined) {
    faults.push('jwks: public_key is there too: leave out one of them');
  }
  return faults;
}

async function readPublicKey(path: string): Promise<KeyObject | string> {
  const text = await readText(path);
  if (text instanceof Error) return `public_key: ${path} cannot be read (${text.message})`;
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    return `public_key: ${path} has a private key: it belongs to the issuer alone, name the public one`;
  }
  try {
    return createPublicKey(text);
  } catch (error) {
    return `public_key: ${path} is no public key or certificate in PEM (${(error as Error).message})`;
  }
}

function judgeKey(key: KeyObject, algorithms: readonly string[], path: string): string[] {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const bits = details?.modulusLength;
  if (bits !== undefined && bits < RSA_BITS_MIN) {
    return [`public_key: ${path} has ${bits} bits: RSA needs ${RSA_BITS_MIN} or more`];
  }
  const misfits = algorithms.filter((algorithm) => {
    if (isHmac(algorithm)) return false;
    if (/^[RP]S/.test(algorithm)) return type !== 'rsa';
    if (algorithm === 'EdDSA') return type !== 'ed25519';
    return details?.namedCurve !== CURVES[algorithm];
  });
  if (misfits.length === 0) return [];
  const kind = details?.namedCurve ?? type;
  return [`algorithms: ${misfits.join(', ')} cannot be verified by ${path}, which is for ${kind}`];
}

async function readKeySet(place: string, failed: KeySetFailed): Promise<JWTVerifyGetKey | string> {
  if (/^https?:\/\//i.test(place)) return remoteKeySet(place, failed);
  const text = await readText(place);
  if (text instanceof Error) return `jwks: ${place} cannot be read (${text.message})`;
  try {
    const written = JSON.parse(text) as JSONWebKeySet & { readonly kty?: string };
    const set = written.kty === undefined ? written : { keys: [written] };
    const secret = set.keys.find((key) => key.kty === 'oct' || 'd' in key);
    if (secret !== undefined) {
      return `jwks: ${place} has a secret or private key: public keys alone belong there`;
    }
    return createLocalJWKSet(set as JSONWebKeySet);
  } catch (error) {
    return `jwks: ${place} is no JWK Set (${(error as Error).message})`;
  }
}

async function readText(path: string): Promise<string | Error> {
  return readFile(path, 'utf8').catch((error: Error) => error);
}
