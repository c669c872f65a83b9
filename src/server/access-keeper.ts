import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Broker } from '../broker/broker.js';
import { RuleControl } from '../extensions/access-control/access-control.js';
import { AccessCallOut } from './access-call-out.js';
import { type AccessFiles, accessFilesOf, readAccessFiles, rulesFrom } from './access-files.js';
import { FileWatch } from './authentication/file-watch.js';
import { methodsOf } from './config/doors.js';
import type { Config } from './config.js';
import { ExitCode, StartError } from './exit-code.js';
import type { PreparedReload, Reloadable } from './reload.js';

export interface AccessParts {
  readonly broker: Broker;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Keeps the broker's rules as the configuration and its files have them. */
export class AccessKeeper implements Reloadable {
  readonly #parts: AccessParts;
  readonly #callOut: AccessCallOut;
  #config: Config;
  readonly #watch: FileWatch = new FileWatch(() => this.#changed());
  /** What is in force, as it was written. */
  #written = '';
  /** Counts what was read again, of which the last counts. */
  #turn = 0;
  #isStopped = false;

  private constructor(config: Config, parts: AccessParts) {
    this.#config = config;
    this.#parts = parts;
    this.#callOut = new AccessCallOut(parts);
  }

  /** To be called before clients are let in. Rejects with a `StartError` for rules with faults. */
  static async open(config: Config, parts: AccessParts): Promise<AccessKeeper> {
    const keeper = new AccessKeeper(config, parts);
    keeper.#use(config, await keeper.#read(config));
    keeper.#callOut.use(config);
    return keeper;
  }

  async prepare(next: Config): Promise<PreparedReload> {
    const files = await this.#read(next);
    return {
      needsRestart: [],
      apply: () => {
        if (this.#use(next, files)) this.#tellChanged();
        this.#callOut.use(next);
      },
    };
  }

  stop(): void {
    this.#isStopped = true;
    this.#watch.close();
    this.#callOut.close();
  }

  async #read(config: Config): Promise<AccessFiles> {
    const files = await readAccessFiles(config.authorization);
    if (files.faults.length > 0) throw new StartError(ExitCode.Usage, files.faults);
    return files;
  }

  /** Whether anything is new; where nothing is, no client has to be judged again. */
  #use(config: Config, files: AccessFiles): boolean {
    this.#config = config;
    const asks = config.listen.some((listen) => methodsOf(listen, config).length > 0);
    const written = JSON.stringify([config.authorization, files.texts, asks]);
    if (written === this.#written) return false;
    this.#written = written;
    const { broker, log, clock } = this.#parts;
    const rules = rulesFrom(config, files);
    const { statistics } = broker;
    broker.access.change(new RuleControl({ rules, log, clock, statistics }));
    this.#watch.paths = accessFilesOf(config.authorization);
    return true;
  }

  #changed(): void {
    const config = this.#config;
    const turn = ++this.#turn;
    this.#read(config).then(
      (files) => {
        // A reload or a later change may have come in between.
        if (this.#isStopped || config !== this.#config || turn !== this.#turn) return;
        if (this.#use(config, files)) this.#tellChanged();
      },
      (error: unknown) => this.#tellRefused(error),
    );
  }

  #tellChanged(): void {
    this.#parts.log.info(
      { event: 'access_rules_changed' },
      'New rules of who may publish and subscribe to what hold from now on',
    );
  }

  #tellRefused(error: unknown): void {
    const reasons = error instanceof StartError ? error.sentences : [String(error)];
    for (const reason of reasons) {
      this.#parts.log.error(
        { event: 'access_rules_refused', reason },
        `Changed rules are not used, the last ones hold on: ${reason}`,
      );
    }
  }
}
