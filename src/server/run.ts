import type { Logger } from '../base/log.js';
import type { Announcement } from './announcement.js';
import { compose, type RunningBroker } from './compose.js';
import type { AcmeConfig } from './config/acme.js';
import type { Config } from './config.js';
import type { Flags } from './config-source.js';
import { ExitCode, StartError } from './exit-code.js';
import type { LevelledLogger } from './folding-logger.js';
import { loadConfig } from './load-config.js';
import { createLogger, isHuman } from './logger.js';
import { ServiceManager } from './service-manager.js';
import { onReloadSignal, onStopSignal } from './signals.js';
import { SpareMemory } from './spare-memory.js';
import { keepsNothing, startReport } from './start-report.js';
import { packageVersion } from './version.js';

/** Clients are cut off after three seconds; this is for a disk that hangs. */
const STOP_DEADLINE_MS = 4500;

/** Runs the broker until a signal or a failed store ends it, and ends the process. */
export async function run(flags: Flags): Promise<void> {
  const notes: string[] = [];
  const config = await loadConfig(flags, process.env, (sentence) => notes.push(sentence));
  // Whoever read the start block may be gone before it is written.
  process.stdout.on('error', () => {});
  const log = await createLogger({ level: config.logLevel, format: config.logFormat });
  for (const note of notes) log.warn({ event: 'setting_without_equivalent' }, note);
  // The TLS listeners read the certificate, so it comes before them.
  if (config.acme !== undefined) await keepFresh(config.acme, log);
  const broker = await compose(config, log);
  tell(broker, config, log);
  onReloadSignal(() => void reload(broker, flags, log));
  const announcement = await announcementOf(broker, config, log);
  const manager = new ServiceManager(process.env, log);
  manager.ready(`listening on ${broker.addresses.join(', ')}`);
  onStopSignal((signal) => {
    manager.stopping();
    log.info({ event: 'stopping', reason: signal }, 'stopping: saying goodbye to the clients');
    setTimeout(() => {
      log.error({ event: 'stop_timeout' }, 'the disk does not answer: ending without it');
      process.exit(ExitCode.StoreFailed);
    }, STOP_DEADLINE_MS);
    void announcement?.stop();
    void broker.close().then(() => {
      log.info({ event: 'stopped' }, 'stopped');
      process.exit(ExitCode.Stopped);
    });
  });
  await new SpareMemory().start();
  // The store has already written its sentence to the log.
  await broker.storeFailed;
  process.exit(ExitCode.StoreFailed);
}

/** Reads everything again; where anything is wrong with it, all stays as it is. */
async function reload(broker: RunningBroker, flags: Flags, log: LevelledLogger): Promise<void> {
  try {
    const config = await loadConfig(flags, process.env);
    const needsRestart = await broker.reload(config);
    log.setLevel(config.logLevel);
    for (const sentence of needsRestart) log.warn({ event: 'needs_restart' }, sentence);
    log.info({ event: 'reloaded' }, 'the configuration was read again and is in force');
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    for (const sentence of error.sentences) log.error({ event: 'reload_refused' }, sentence);
    const sentence = 'the new configuration is not used: everything stays as it was';
    log.error({ event: 'reload_refused' }, sentence);
  }
}

async function keepFresh(acme: AcmeConfig, log: Logger): Promise<void> {
  const { keepCertificate } = await import('./acme/renewal.js');
  await keepCertificate(acme, log);
}

async function announcementOf(
  broker: RunningBroker,
  { mdnsName }: Config,
  log: Logger,
): Promise<Announcement | undefined> {
  if (mdnsName === undefined) return undefined;
  const { announce } = await import('./announcement.js');
  return announce(mdnsName, broker.addresses, log);
}

function tell(broker: RunningBroker, config: Config, log: Logger): void {
  const version = packageVersion();
  const readyMs = Math.round(performance.now());
  if (isHuman(config.logFormat)) {
    const { addresses } = broker;
    process.stdout.write(startReport({ version, addresses, config, readyMs }));
    return;
  }
  for (const url of broker.addresses) log.info({ event: 'listening', url }, `listening on ${url}`);
  const forgets = keepsNothing(config);
  log.info(
    {
      event: 'ready',
      version,
      readyMs,
      durability: forgets ? 'memory' : config.durability,
      data: forgets ? undefined : config.data,
    },
    `dunlin ${version} is ready`,
  );
}

/**
 * Ends the process with the sentences of a `StartError`; anything else is a fault of the program.
 */
export function endWith(error: unknown): never {
  if (!(error instanceof StartError)) throw error;
  for (const sentence of error.sentences) process.stderr.write(`dunlin: ${sentence}\n`);
  process.exit(error.exitCode);
}
