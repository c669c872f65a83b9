import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { stringify } from 'yaml';
import { Command } from '../server/command.js';
import { ChildProgram } from '../support/child-program.js';
import type { Pulse } from './bystander.js';
import { comeFrom } from './stranger.js';

const BYSTANDER = fileURLToPath(new URL('./bystander.ts', import.meta.url));
const QUIET_MS = 700;
/** Healthy clients are listened to for so long, however short the attack is. */
const ATTACK_MS_MIN = 300;
const LOG_MS_MAX = 90_000;
const LOOK_MS = 20;
/** The machine may be busy: latencies below this are no sign of anything. */
const P99_MS_ALWAYS_FINE = 1000;
const P99_TIMES_QUIET = 10;
const MIB = 1_048_576;

export type Event = Readonly<Record<string, unknown>>;

export interface Expected {
  /** How much more memory the broker may have at its highest. */
  readonly growthMiBMax: number;
  /** What the log must say of it. */
  readonly event?: string;
  /** The line must have these fields, too. */
  readonly fields?: object;
}

/**
 * A broker with healthy clients on its first listener, and a second broker that nobody attacks,
 * with healthy clients as well: what they suffer at the same time is the machine's doing.
 */
export class AttackedBroker {
  readonly ports: readonly number[];
  readonly #folder: string;
  readonly #broker: Command;
  readonly #control: Command;
  readonly #bystander: ChildProgram;
  #quiet: Pulse | undefined = undefined;
  #attacks = 0;

  private constructor(
    folder: string,
    broker: Command,
    control: Command,
    ports: readonly number[],
    bystander: ChildProgram,
  ) {
    this.#folder = folder;
    this.#broker = broker;
    this.#control = control;
    this.ports = ports;
    this.#bystander = bystander;
  }

  /** The first listener is for the healthy clients, without anything in front of MQTT. */
  static async start(listen: readonly object[] = [], more: object = {}): Promise<AttackedBroker> {
    const folder = mkdtempSync(join(tmpdir(), 'dunlin-attacked-'));
    const healthy = { url: 'mqtt://127.0.0.1:0', allow_anonymous: true };
    const file = join(folder, 'dunlin.yaml');
    writeFileSync(
      file,
      stringify({ in_memory: true, log_format: 'json', listen: [healthy, ...listen], ...more }),
    );
    const quiet = ['--in-memory', '--listen', 'mqtt://127.0.0.1:0', '--log-format', 'json'];
    const broker = await Command.start(folder, ['--config', file]);
    const control = await Command.start(folder, quiet);
    const ports = (await broker.addresses()).map((url) => Number(new URL(url).port));
    const controlPort = new URL((await control.addresses())[0]!).port;
    const args = ['--import', 'tsx', BYSTANDER, String(ports[0]), controlPort];
    const bystander = new ChildProgram(process.execPath, args);
    const attacked = new AttackedBroker(folder, broker, control, ports, bystander);
    await bystander.takeUntil('ready');
    await delay(QUIET_MS);
    attacked.#quiet = (await attacked.#pulses())[0];
    return attacked;
  }

  async stop(): Promise<void> {
    this.#bystander.kill();
    await Promise.all([this.#broker.kill(), this.#control.kill()]);
    rmSync(this.#folder, { recursive: true });
  }

  /** Port of a listener, in the order of the configuration; 0 is that of the healthy clients. */
  port(listener: number): number {
    return this.ports[listener]!;
  }

  /**
   * Attacks, from an address of its own, so that the log folds nothing of it together with others.
   * Expects a broker that is there, has grown little and serves the others.
   */
  async withstands(attack: () => Promise<void>, expected: Expected): Promise<void> {
    const { child } = this.#broker;
    const from = this.#broker.output.length;
    const beforeMiB = resetPeakMiB(child.pid!);
    await this.#pulses();
    comeFrom(`127.0.1.${++this.#attacks}`);
    await Promise.all([attack(), delay(ATTACK_MS_MIN)]);
    const [pulse, control] = (await this.#pulses()) as [Pulse, Pulse];
    const growthMiB = peakMiB(child.pid!) - beforeMiB;
    if (expected.event !== undefined) {
      await this.logged(expected.event, expected.fields ?? {}, from);
    }
    this.#report({ pulse, control, growthMiB, event: expected.event });
    expect(child.exitCode, this.#broker.errors).toBeNull();
    expect(pulse).toMatchObject({ lost: 0 });
    expect(pulse.count, 'messages of healthy clients').toBeGreaterThan(0);
    const quietMs = Math.max(this.#quiet!.p99Ms, control.p99Ms);
    const p99MsMax = Math.max(P99_MS_ALWAYS_FINE, P99_TIMES_QUIET * quietMs) * waitingForCpu();
    expect(pulse.p99Ms, 'p99 of healthy clients, in ms').toBeLessThan(p99MsMax);
    expect(growthMiB, 'MiB of memory more').toBeLessThan(expected.growthMiBMax);
  }

  /** Waits for a line of the log with this event and these fields. */
  async logged(event: string, fields: object = {}, from = 0): Promise<Event> {
    const deadlineMs = performance.now() + LOG_MS_MAX;
    for (;;) {
      const found = this.#events(from).find((line) => line['event'] === event && has(line, fields));
      if (found !== undefined) return found;
      if (performance.now() > deadlineMs) {
        const lines = this.#broker.output.slice(from).split('\n').slice(-30).join('\n');
        throw new Error(`no ${event} with ${JSON.stringify(fields)} in the log:\n${lines}`);
      }
      await delay(LOOK_MS);
    }
  }

  #events(from: number): Event[] {
    const lines = this.#broker.output.slice(from).split('\n').slice(0, -1);
    return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Event);
  }

  async #pulses(): Promise<Pulse[]> {
    this.#bystander.write('?');
    return JSON.parse((await this.#bystander.take(1))[0]!) as Pulse[];
  }

  /** `ATTACK_RESULTS=file` gathers what docs/security.md tells. */
  #report(measured: { pulse: Pulse; control: Pulse; growthMiB: number; event?: unknown }): void {
    const file = process.env['ATTACK_RESULTS'];
    if (file === undefined) return;
    const test = expect.getState().currentTestName;
    const quiet = this.#quiet;
    appendFileSync(file, `${JSON.stringify({ test, ...measured, quiet })}\n`);
  }
}

/** How many times longer what needs the processor takes, since others need it as well. */
function waitingForCpu(): number {
  return Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
}

function has(line: Event, fields: object): boolean {
  return Object.entries(fields).every(([name, value]) =>
    value instanceof RegExp ? value.test(String(line[name])) : line[name] === value,
  );
}

/** Forgets the highest memory that was seen, and returns what it is now. */
function resetPeakMiB(pid: number): number {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
  return peakMiB(pid);
}

function peakMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) * 1024) / MIB;
}
