import type { Logger } from '../base/log.js';
import type { KeyPair, TlsFault, TlsMaterial } from '../transport/tls-material.js';
import { expiresSoon } from './certificates/dates.js';
import { snakeCase } from './config/vocabulary.js';

const DAY_MS = 86_400_000;

/** What the log says of a listener's certificates. */
export class CertificateLog {
  readonly #log: Logger;
  readonly #listener: string;
  #daily: NodeJS.Timeout | undefined = undefined;

  constructor(log: Logger, listener: string) {
    this.#log = log;
    this.#listener = listener;
  }

  opened(material: TlsMaterial): void {
    for (const { key, sentence } of material.warnings) {
      const setting = `tls.${snakeCase(key)}`;
      this.#log.warn({ event: 'certificate_weak', listener: this.#listener, setting }, sentence);
    }
    this.#watchDates(material);
  }

  reloaded(material: TlsMaterial): void {
    const expires = material.own?.chain[0]?.validTo;
    const until = expires === undefined ? '' : `; the certificate is valid until ${expires}`;
    this.#log.info(
      { event: 'certificate_reloaded', listener: this.#listener, expires },
      `new connections to ${this.#listener} get the files of TLS as they are now${until}`,
    );
    this.opened(material);
  }

  failed(faults: readonly TlsFault[]): void {
    for (const { key, sentence } of faults) {
      const setting = `tls.${snakeCase(key)}`;
      this.#log.error(
        { event: 'certificate_failed', listener: this.#listener, setting, reason: sentence },
        `what ${this.#listener} had before stays in use, since ${setting}: ${sentence}`,
      );
    }
  }

  close(): void {
    clearInterval(this.#daily);
  }

  #watchDates(material: TlsMaterial): void {
    clearInterval(this.#daily);
    const pairs = [...(material.own === undefined ? [] : [material.own]), ...material.named];
    const look = (): void => {
      for (const pair of pairs) this.#judgeDates(pair);
    };
    look();
    this.#daily = setInterval(look, DAY_MS).unref();
  }

  #judgeDates({ chain }: KeyPair): void {
    const { subject, validTo } = chain[0]!;
    if (!expiresSoon(chain[0]!, Date.now())) return;
    const days = Math.floor((Date.parse(validTo) - Date.now()) / DAY_MS);
    const name = subject.replaceAll('\n', ', ');
    const when = days < 0 ? `has expired on ${validTo}` : `expires in ${days} days, on ${validTo}`;
    this.#log.warn(
      { event: 'certificate_expires', listener: this.#listener, subject: name, expires: validTo },
      `the certificate of ${this.#listener} (${name}) ${when}: renew it`,
    );
  }
}
