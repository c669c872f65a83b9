import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type PskTable, parsePskFile } from './psk-file.js';
import type { TlsOptions } from './tls-options.js';

/** A certificate chain with its key, checked to belong together. */
export interface KeyPair {
  /** The key of the configuration, such as `certificate` or `sni[0].certificate`. */
  readonly place: string;
  readonly names: readonly string[];
  readonly certificate: Buffer;
  readonly key: Buffer;
  /** The server's own certificate first. */
  readonly chain: readonly X509Certificate[];
}

/** Everything of a listener's TLS that is in files. */
export interface TlsMaterial {
  /** Undefined where there are pre-shared keys alone. */
  readonly own: KeyPair | undefined;
  readonly named: readonly KeyPair[];
  readonly ca: Buffer | undefined;
  readonly revocationList: Buffer | undefined;
  readonly psk: PskTable | undefined;
  /** Sentences on what is legal and not wise. */
  readonly warnings: readonly TlsFault[];
}

/** `key` of the configuration, and a sentence that says what is wrong with what it names. */
export interface TlsFault {
  readonly key: string;
  readonly sentence: string;
}

/** Files that TLS cannot be spoken with. */
export class TlsMaterialError extends Error {
  readonly faults: readonly TlsFault[];

  constructor(faults: readonly TlsFault[]) {
    super(faults.map(({ key, sentence }) => `tls.${key}: ${sentence}`).join('; '));
    this.name = 'TlsMaterialError';
    this.faults = faults;
  }
}

/** The files that a listener's TLS is made of. */
export function tlsFiles(options: TlsOptions): string[] {
  const { certificate, key, ca, revocationList, pskFile, sni } = options;
  const pairs = sni.flatMap((pair) => [pair.certificate, pair.key]);
  const all = [certificate, key, ca, revocationList, pskFile, ...pairs];
  return [...new Set(all.filter((file) => file !== undefined))];
}

/** Reads and judges all files; rejects with a `TlsMaterialError` that names every fault. */
export async function readTlsMaterial(options: TlsOptions): Promise<TlsMaterial> {
  const reader = new MaterialReader();
  const { certificate, key, sni } = options;
  reader.judgeOptions(options);
  const own =
    certificate !== undefined && key !== undefined
      ? await reader.pair('', { names: [], certificate, key })
      : undefined;
  const named: KeyPair[] = [];
  for (const [i, pair] of sni.entries()) {
    const read = await reader.pair(`sni[${i}].`, pair);
    if (read !== undefined) named.push(read);
  }
  const ca = await reader.certificates('ca', options.ca);
  const revocationList = await reader.revocationList(options.revocationList);
  const psk = await reader.psk(options.pskFile);
  if (reader.faults.length > 0) throw new TlsMaterialError(reader.faults);
  return { own, named, ca, revocationList, psk, warnings: reader.warnings };
}

class MaterialReader {
  readonly faults: TlsFault[] = [];
  readonly warnings: TlsFault[] = [];

  judgeOptions(options: TlsOptions): void {
    const { certificate, key, ca, pskFile, clientCertificate } = options;
    if (certificate === undefined && pskFile === undefined) {
      this.#fault('certificate', 'is missing: name a file with a certificate chain in PEM');
    }
    if (certificate !== undefined && key === undefined) {
      this.#fault('key', 'is missing: name the file with the private key of the certificate');
    }
    if (certificate === undefined && key !== undefined) {
      this.#fault('certificate', 'is missing: the key belongs to one');
    }
    if (clientCertificate !== 'none' && ca === undefined) {
      this.#fault('ca', 'is missing: name the file with the authorities of client certificates');
    }
  }

  async pair(
    at: string,
    { names, certificate, key }: { names: readonly string[]; certificate: string; key: string },
  ): Promise<KeyPair | undefined> {
    const place = `${at}certificate`;
    const pem = await this.#read(place, certificate);
    const keyPem = await this.#read(`${at}key`, key);
    const chain = pem === undefined ? undefined : this.#chain(place, certificate, pem);
    const secret = keyPem === undefined ? undefined : this.#privateKey(`${at}key`, key, keyPem);
    if (chain === undefined || secret === undefined) return undefined;
    if (!chain[0]!.checkPrivateKey(secret)) {
      const isLater = chain.some((one) => one.checkPrivateKey(secret));
      this.#fault(
        `${at}key`,
        isLater
          ? `${certificate} must begin with the server's own certificate, before its authorities`
          : `${key} is not the private key of the certificate in ${certificate}`,
      );
      return undefined;
    }
    return { place, names, certificate: pem!, key: keyPem!, chain };
  }

  async certificates(key: string, file: string | undefined): Promise<Buffer | undefined> {
    const pem = file === undefined ? undefined : await this.#read(key, file);
    if (pem === undefined) return undefined;
    return this.#chain(key, file!, pem) === undefined ? undefined : pem;
  }

  async revocationList(file: string | undefined): Promise<Buffer | undefined> {
    const key = 'revocationList';
    const pem = file === undefined ? undefined : await this.#read(key, file);
    if (pem === undefined || pem.includes('-----BEGIN X509 CRL-----')) return pem;
    this.#fault(key, `${file} has no revocation list in PEM (BEGIN X509 CRL)`);
    return undefined;
  }

  async psk(file: string | undefined): Promise<PskTable | undefined> {
    const bytes = file === undefined ? undefined : await this.#read('pskFile', file);
    if (bytes === undefined) return undefined;
    const { keys, faults, weak } = parsePskFile(bytes.toString('utf8'));
    for (const fault of faults) this.#fault('pskFile', `${file}, ${fault}`);
    for (const one of weak) this.#warn('pskFile', `${file}, ${one}: take 16 or more`);
    return keys;
  }

  async #read(key: string, file: string): Promise<Buffer | undefined> {
    try {
      return await readFile(file);
    } catch (error) {
      this.#fault(key, `${file} cannot be read: ${readFault(error as NodeJS.ErrnoException)}`);
      return undefined;
    }
  }

  #chain(key: string, file: string, pem: Buffer): X509Certificate[] | undefined {
    const blocks = pem
      .toString('latin1')
      .match(/-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]+-----END [^-]+-----/g);
    try {
      if (blocks !== null) return blocks.map((block) => new X509Certificate(block));
      this.#fault(key, `${file} has no certificate in PEM (BEGIN CERTIFICATE)`);
    } catch (error) {
      this.#fault(key, `${file} has a damaged certificate: ${(error as Error).message}`);
    }
    return undefined;
  }

  #privateKey(key: string, file: string, pem: Buffer): KeyObject | undefined {
    try {
      return createPrivateKey(pem);
    } catch (error) {
      const isLocked = /ENCRYPTED/.test(pem.toString('latin1'));
      const { message } = error as Error;
      this.#fault(
        key,
        isLocked
          ? `${file} is encrypted: take the password off it with openssl pkey`
          : `${file} has no private key in PEM: ${message}`,
      );
      return undefined;
    }
  }

  #fault(key: string, sentence: string): void {
    this.faults.push({ key, sentence });
  }

  #warn(key: string, sentence: string): void {
    this.warnings.push({ key, sentence });
  }
}

function readFault({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'ENOENT':
      return 'there is no such file';
    case 'EACCES':
      return "the broker's user may not read it";
    case 'EISDIR':
      return 'it is a folder';
    default:
      return message;
  }
}
