import { constants, randomBytes } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { PskTable } from './psk-file.js';
import {
  type KeyPair,
  readTlsMaterial,
  type TlsFault,
  type TlsMaterial,
  TlsMaterialError,
  tlsFiles,
} from './tls-material.js';
import { cipherSuites, type TlsOptions } from './tls-options.js';
import { WatchedFiles } from './watched-files.js';

/** How long a client that comes back may skip most of its handshake; no key lives longer. */
const RESUMPTION_SECONDS = 86_400;
/** Name, HMAC key and AES key. */
const TICKET_KEYS_BYTES = 48;
/** A certificate and its key are two files: between the two they do not fit. */
const SECOND_TRY_MS = 1000;

export interface TlsContextEvents {
  /** From now on new connections get what the files say now. */
  readonly reloaded: (material: TlsMaterial) => void;
  /** The files cannot be used; what was read before stays in use. */
  readonly failed: (faults: readonly TlsFault[]) => void;
}

/** What `tls.Server` is told of certificates and keys, kept up to date with their files. */
export class TlsContexts {
  readonly #options: TlsOptions;
  readonly #events: TlsContextEvents;
  readonly #sessionIdContext: string;
  readonly #files: WatchedFiles;
  readonly #rotation: NodeJS.Timeout;
  #secondTry: NodeJS.Timeout | undefined = undefined;
  #apply: (own: SecureContextOptions) => void = () => {};
  #ticketKeys: Buffer = randomBytes(TICKET_KEYS_BYTES);
  #material: TlsMaterial;
  #own: SecureContextOptions;
  #named: readonly NamedContext[];

  private constructor(
    options: TlsOptions,
    material: TlsMaterial,
    events: TlsContextEvents,
    files: WatchedFiles,
  ) {
    this.#options = options;
    this.#events = events;
    this.#material = material;
    this.#sessionIdContext = randomBytes(16).toString('hex');
    [this.#own, this.#named] = this.#contextsOf(material);
    this.#files = files;
    const rotate = (): void => {
      this.#ticketKeys = randomBytes(TICKET_KEYS_BYTES);
      this.#use(this.#material);
    };
    this.#rotation = setInterval(rotate, RESUMPTION_SECONDS * 1000).unref();
  }

  /** Rejects with a `TlsMaterialError`. */
  static async open(options: TlsOptions, events: TlsContextEvents): Promise<TlsContexts> {
    let contexts: TlsContexts | undefined;
    let isStale = false;
    // It looks before they are read: a change in between is not missed.
    const files = new WatchedFiles(tlsFiles(options), () => {
      isStale = true;
      void contexts?.reload();
    });
    try {
      contexts = new TlsContexts(options, await readTlsMaterial(options), events, files);
      if (isStale) void contexts.reload();
      return contexts;
    } catch (error) {
      files.close();
      throw error;
    }
  }

  get material(): TlsMaterial {
    return this.#material;
  }

  get psk(): PskTable | undefined {
    return this.#material.psk;
  }

  /** Calls `apply` now, and again whenever the listener's own certificate is another one. */
  attach(apply: (own: SecureContextOptions) => void): void {
    this.#apply = apply;
    apply(this.#own);
  }

  /** For the host name that a client asks for; undefined is the listener's own certificate. */
  contextFor(serverName: string): SecureContext | undefined {
    return this.#named.find(({ names }) => names.some((name) => covers(name, serverName)))?.context;
  }

  /** Reads the files again, and changes nothing when they cannot be used. */
  async reload(): Promise<void> {
    const faults = await this.#tryFiles();
    clearTimeout(this.#secondTry);
    if (faults.length === 0) return;
    this.#secondTry = setTimeout(() => void this.#tryAgain(), SECOND_TRY_MS).unref();
  }

  async #tryAgain(): Promise<void> {
    const faults = await this.#tryFiles();
    if (faults.length > 0) this.#events.failed(faults);
  }

  async #tryFiles(): Promise<readonly TlsFault[]> {
    try {
      this.#replace(await readTlsMaterial(this.#options));
      return [];
    } catch (error) {
      return faultsOf(error);
    }
  }

  close(): void {
    this.#files.close();
    clearInterval(this.#rotation);
    clearTimeout(this.#secondTry);
  }

  #replace(next: TlsMaterial): void {
    // Throws here for what no context can be made of, before anything is in use.
    this.#contextsOf(next);
    const { ca, revocationList } = this.#material;
    const isSame = sameBytes(ca, next.ca) && sameBytes(revocationList, next.revocationList);
    // A session that is resumed is not verified again: who was let in by the old files may not be.
    if (!isSame) this.#ticketKeys = randomBytes(TICKET_KEYS_BYTES);
    this.#use(next);
    this.#events.reloaded(next);
  }

  #use(material: TlsMaterial): void {
    [this.#own, this.#named] = this.#contextsOf(material);
    this.#material = material;
    this.#apply(this.#own);
  }

  #contextsOf(material: TlsMaterial): [SecureContextOptions, readonly NamedContext[]] {
    const own = this.#contextOptions(material, material.own);
    try {
      createSecureContext(own);
    } catch (error) {
      throw new TlsMaterialError([{ key: 'certificate', sentence: (error as Error).message }]);
    }
    const named = material.named.map((pair) => ({
      names: pair.names,
      context: createSecureContext(this.#contextOptions(material, pair)),
    }));
    return [own, named];
  }

  #contextOptions(material: TlsMaterial, pair: KeyPair | undefined): SecureContextOptions {
    const { versions, pskFile } = this.#options;
    const has = (version: '1.2' | '1.3'): boolean => versions.includes(version);
    // Node does not tell whose key a resumed session was begun with.
    const tickets = pskFile === undefined ? 0 : constants.SSL_OP_NO_TICKET;
    return {
      ...(pair !== undefined && { cert: pair.certificate, key: pair.key }),
      ...(material.ca !== undefined && { ca: material.ca }),
      ...(material.revocationList !== undefined && { crl: material.revocationList }),
      minVersion: has('1.2') ? 'TLSv1.2' : 'TLSv1.3',
      maxVersion: has('1.3') ? 'TLSv1.3' : 'TLSv1.2',
      ciphers: cipherSuites(this.#options),
      honorCipherOrder: true,
      secureOptions:
        constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA | tickets,
      sessionIdContext: this.#sessionIdContext,
      sessionTimeout: RESUMPTION_SECONDS,
      ticketKeys: this.#ticketKeys,
    };
  }
}

interface NamedContext {
  readonly names: readonly string[];
  readonly context: SecureContext;
}

/** RFC 6125: a star stands for the first label alone. */
function covers(pattern: string, serverName: string): boolean {
  const wanted = serverName.toLowerCase();
  const name = pattern.toLowerCase();
  return (
    name === wanted || (name.startsWith('*.') && name.slice(1) === wanted.replace(/^[^.]+/, ''))
  );
}

function sameBytes(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other);
}

function faultsOf(error: unknown): readonly TlsFault[] {
  if (error instanceof TlsMaterialError) return error.faults;
  return [{ key: 'certificate', sentence: (error as Error).message }];
}
