import type { Logger } from '../base/log.js';

/** The program of systemd that can say it: Node has no datagrams on Unix domain sockets. */
const PROGRAM = 'systemd-notify';

/**
 * Tells systemd how the service is (sd_notify(3)), where systemd has asked for it by `Type=notify`
 * and `WatchdogSec=`; anywhere else it does nothing.
 */
export class ServiceManager {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #log: Logger;
  readonly #isAsked: boolean;
  #watchdog: NodeJS.Timeout | undefined = undefined;
  #hasFailed = false;

  constructor(environment: NodeJS.ProcessEnv, log: Logger) {
    this.#environment = environment;
    this.#log = log;
    this.#isAsked = (environment['NOTIFY_SOCKET'] ?? '') !== '';
  }

  /** Clients are let in. From now on the watchdog hears that the event loop turns. */
  ready(status: string): void {
    this.#tell('--ready', `--status=${status}`);
    const watchdogMs = this.#watchdogMs();
    if (watchdogMs === undefined) return;
    // Half of the time, as sd_watchdog_enabled(3) recommends.
    this.#watchdog = setInterval(() => this.#tell('WATCHDOG=1'), watchdogMs / 2).unref();
  }

  stopping(): void {
    clearInterval(this.#watchdog);
    this.#tell('STOPPING=1', '--status=stopping');
  }

  #watchdogMs(): number | undefined {
    const { WATCHDOG_USEC, WATCHDOG_PID } = this.#environment;
    const isOurs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === process.pid;
    const ms = Number(WATCHDOG_USEC) / 1000;
    return this.#isAsked && isOurs && ms > 0 ? ms : undefined;
  }

  #tell(...words: string[]): void {
    if (this.#isAsked) void this.#spawn(words);
  }

  async #spawn(words: readonly string[]): Promise<void> {
    const { spawn } = await import('node:child_process');
    const child = spawn(PROGRAM, [...words], { env: this.#environment, stdio: 'ignore' });
    child.on('error', (error) => this.#failed(error.message));
    child.on('exit', (code) => {
      if (code !== 0 && code !== null) this.#failed(`${PROGRAM} ended with ${code}`);
    });
    child.unref();
  }

  #failed(reason: string): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#log.warn(
      { event: 'notify_failed', reason },
      `systemd waits to hear from the broker and cannot (${reason}): install ${PROGRAM} ` +
        'and write NotifyAccess=all, or take Type=exec and no WatchdogSec',
    );
  }
}
