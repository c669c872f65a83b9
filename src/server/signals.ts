import { ExitCode } from './exit-code.js';

const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Calls `reload` at every SIGHUP, which otherwise would end the process. */
export function onReloadSignal(reload: () => void): void {
  process.on('SIGHUP', reload);
}

/** Calls `stop` at the first SIGTERM or SIGINT; the second one ends the process at once. */
export function onStopSignal(stop: (signal: NodeJS.Signals) => void): void {
  let stopping = false;
  for (const name of STOP_SIGNALS) {
    process.on(name, (signal) => {
      if (stopping) process.exit(ExitCode.Failure);
      stopping = true;
      stop(signal);
    });
  }
}
