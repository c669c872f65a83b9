import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Authority,
  createAuthority,
  issueCertificate,
  revocationList,
  serialNumberOf,
} from '../../src/server/certificates/authority.js';

export interface PairFiles {
  readonly certificate: string;
  readonly key: string;
  /** The certificate itself. */
  readonly pem: string;
}

export interface IssueOptions {
  readonly names?: readonly string[];
  readonly usage?: 'server' | 'client';
  readonly days?: number;
  readonly nowMs?: number;
}

/** An authority with its files in a folder of its own, made at run time. */
export class CertificateFolder {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'dunlin-certificates-'));
  readonly ca: string = join(this.folder, 'ca.pem');
  readonly #authority: Authority;

  private constructor(authority: Authority) {
    this.#authority = authority;
    writeFileSync(this.ca, authority.certificate);
  }

  static async create(): Promise<CertificateFolder> {
    const options = { commonName: 'Test authority', days: 30, nowMs: Date.now() };
    return new CertificateFolder(await createAuthority(options));
  }

  get caPem(): string {
    return this.#authority.certificate;
  }

  /** Writes `name.pem` and `name.key`, in place of those that were there. */
  async issue(name: string, options: IssueOptions = {}): Promise<PairFiles> {
    const { names = ['127.0.0.1', 'localhost'], usage = 'server', days = 10 } = options;
    const nowMs = options.nowMs ?? Date.now();
    const pair = await issueCertificate(this.#authority, {
      commonName: name,
      names,
      usage,
      days,
      nowMs,
    });
    return {
      certificate: this.write(`${name}.pem`, pair.certificate),
      key: this.write(`${name}.key`, pair.privateKey),
      pem: pair.certificate,
    };
  }

  async revoke(...pems: readonly string[]): Promise<string> {
    const serialNumbers = pems.map(serialNumberOf);
    const list = await revocationList(this.#authority, serialNumbers, Date.now());
    return this.write('revoked.pem', list);
  }

  /** At once, as careful programs do it. */
  write(name: string, text: string): string {
    const file = join(this.folder, name);
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
    return file;
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
