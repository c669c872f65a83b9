/**
 * Loads a broker with one case and tells how many messages it delivered, how long they took, and
 * what the broker spent on them. Exit code 1 when a message was lost, repeated or came out of
 * order.
 */
import { canPin, pinSelf, type RunningBroker } from './brokers/broker.js';
import { brokerKind } from './brokers/kinds.js';
import { type BenchCase, cases, casesNamed } from './cases/catalog.js';
import { type LoadOptions, loadOptions, usage } from './load/options.js';
import type { CaseResult, Target } from './load/result.js';
import { runTraffic } from './load/traffic.js';

const MQTT_PORT = 1883;

async function main(options: LoadOptions): Promise<void> {
  if (options.list) {
    for (const { name, about } of cases) console.log(`${name.padEnd(36)}${about}`);
    return;
  }
  const named = options.caseName === undefined ? undefined : casesNamed([options.caseName])[0];
  const started = options.url === undefined ? await startBroker(options, named) : undefined;
  if (canPin()) pinSelf(1);
  try {
    const target = started?.target ?? runningTarget(options);
    const result = await run(options, named, target);
    if (options.json) console.log(JSON.stringify(result));
    else print(result);
    if (result.failure !== undefined) process.exitCode = 1;
  } finally {
    await started?.stop();
  }
}

function run(
  options: LoadOptions,
  named: BenchCase | undefined,
  target: Target,
): Promise<CaseResult> {
  if (named !== undefined) return named.run(target, options);
  return runTraffic(options.shape, target, options);
}

function startBroker(options: LoadOptions, named: BenchCase | undefined): Promise<RunningBroker> {
  const { cpuProfile } = options;
  return brokerKind(options.broker, options.dunlin).start({
    needsStore: options.store || (named?.needsStore ?? false),
    needsWebSocket: (named?.shape ?? options.shape).transport === 'websocket',
    core: canPin() ? 0 : undefined,
    nodeArguments: cpuProfile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${cpuProfile}`],
  });
}

function runningTarget({ url, pid, webSocketPort }: LoadOptions): Target {
  const port = url === undefined || url.port === '' ? MQTT_PORT : Number(url.port);
  return { host: url?.hostname ?? '127.0.0.1', port, webSocketPort, pid };
}

function print(result: CaseResult): void {
  const unit = result.unit ?? 'message';
  const rows: [string, string | undefined][] = [
    ['failure', result.failure],
    ['per second', result.perSecond?.toFixed(0)],
    ['p50 / p99 / p99.9', latencies(result)],
    ['broker', unless(result.brokerMicroseconds, (us) => `${us.toFixed(2)} us per ${unit}`)],
    ['broker', unless(result.brokerCorePercent, (share) => `${share.toFixed(0)} % of a core`)],
    ['generator', unless(result.generatorMicroseconds, (us) => `${us.toFixed(2)} us per ${unit}`)],
    ['broker resident', unless(result.residentMiB, (mib) => `${mib.toFixed(1)} MiB`)],
    ['broker proportional', unless(result.proportionalMiB, (mib) => `${mib.toFixed(1)} MiB`)],
    ['before', unless(result.idleMiB, (mib) => `${mib.toFixed(1)} MiB`)],
    ['memory each', unless(result.bytesEach, (bytes) => `${bytes.toFixed(0)} B per ${unit}`)],
    ['grown', unless(result.grownMiB, (mib) => `${mib.toFixed(1)} MiB`)],
    ['published', result.published?.toString()],
    ['delivered', result.delivered?.toString()],
    ['note', result.note],
  ];
  for (const [name, value] of rows) {
    if (value !== undefined) console.log(`${name.padEnd(24)}${value}`);
  }
}

function latencies({ p50Ms, p99Ms, p999Ms }: CaseResult): string | undefined {
  if (p50Ms === undefined || p99Ms === undefined) return undefined;
  const last = p999Ms === undefined ? '' : ` / ${p999Ms.toFixed(3)}`;
  return `${p50Ms.toFixed(3)} / ${p99Ms.toFixed(3)}${last} ms`;
}

function unless(value: number | undefined, show: (value: number) => string): string | undefined {
  return value === undefined ? undefined : show(value);
}

try {
  await main(loadOptions(process.argv.slice(2)));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error(usage);
  process.exitCode = 2;
}
