import { isDeepStrictEqual } from 'node:util';
import { urlOf } from '../transport/listener.js';
import type { TlsStage } from '../transport/tls-stage.js';
import type { Config, ListenConfig } from './config.js';
import type { PreparedReload, Reloadable } from './reload.js';

interface Entry {
  readonly listen: ListenConfig;
  readonly stage: TlsStage;
}

/** Reads the files of TLS again; other settings of it need a restart. */
export class TlsReload implements Reloadable {
  readonly #entries: Entry[] = [];

  add(listen: ListenConfig, stage: TlsStage): void {
    this.#entries.push({ listen, stage });
  }

  async prepare(next: Config): Promise<PreparedReload> {
    return {
      apply: () => {
        for (const { stage } of this.#entries) void stage.reload();
      },
      needsRestart: this.#entries.flatMap(({ listen }) => {
        const url = urlOf(listen.url);
        const sames = next.listen.filter((other) => urlOf(other.url) === url);
        const isSame =
          sames.length === 0 || sames.some(({ tls }) => isDeepStrictEqual(tls, listen.tls));
        return isSame ? [] : [`tls of ${url} changes when the broker is started again`];
      }),
    };
  }
}
