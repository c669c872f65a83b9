import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { stringify } from 'yaml';
import { Command } from '../server/command.js';
import { ChildProgram } from '../support/child-program.js';
import type { Pulse } from './bystander.js';
import { comeFrom } from './stranger.js';

const BYSTANDER = fileURLToPath(new URL('./bystander.ts', import.meta.url));
/** Where it is set, times are measured and written there: `npm run bench:attacks` does so. */
const RESULTS = process.env['ATTACK_RESULTS'];
/** Before each attack, and the attack itself, which is repeated where it is over sooner. */
const MEASURED_MS = 3000;
const LOG_MS_MAX = 90_000;
const LOOK_MS = 20;
const MIB = 1_048_576;
/** Of one attack, whatever it consists of. */
const LINES_MAX = 20_000;

export type Event = Readonly<Record<string, unknown>>;

export interface Expected {
  /** How much more memory the broker may have at its highest: several times what it takes. */
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
   * Expects a broker that is there, has grown little and serves the others. How fast it does so is
   * up to the machine: that is measured and not judged.
   */
  async withstands(attack: () => Promise<void>, expected: Expected): Promise<void> {
    const { child } = this.#broker;
    const from = this.#broker.output.length;
    const beforeMiB = resetPeakMiB(child.pid!);
    await this.#pulses();
    const quiet = RESULTS === undefined ? undefined : await this.#pulseAfter(MEASURED_MS);
    comeFrom(`127.0.1.${++this.#attacks}`);
    const sinceMs = performance.now();
    do await attack();
    while (RESULTS !== undefined && performance.now() - sinceMs < MEASURED_MS);
    const [pulse, control] = (await this.#pulses()) as [Pulse, Pulse];
    const growthMiB = peakMiB(child.pid!) - beforeMiB;
    if (expected.event !== undefined) {
      await this.logged(expected.event, expected.fields ?? {}, from);
    }
    const lines = this.#events(from).length;
    this.#report({ quiet, pulse, control, growthMiB, lines, event: expected.event });
    expect(child.exitCode, this.#broker.errors).toBeNull();
    expect(pulse).toMatchObject({ lost: 0 });
    expect(growthMiB, 'MiB of memory more').toBeLessThan(expected.growthMiBMax);
    // An attack that is repeated writes its lines as often.
    if (RESULTS === undefined) expect(lines, 'lines in the log').toBeLessThan(LINES_MAX);
    await this.#goesOnServing();
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

  async #pulseAfter(waitMs: number): Promise<Pulse> {
    await delay(waitMs);
    return (await this.#pulses())[0]!;
  }

  /** Messages of healthy clients come that were sent after the attack. */
  async #goesOnServing(): Promise<void> {
    while ((await this.#pulseAfter(LOOK_MS)).count === 0);
  }

  #report(measured: object): void {
    if (RESULTS === undefined) return;
    const test = expect.getState().currentTestName;
    const file = basename(expect.getState().testPath ?? '', '.test.ts');
    appendFileSync(RESULTS, `${JSON.stringify({ file, test, ...measured })}\n`);
  }
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
