import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { Command } from '../server/command.js';
import { ChildProgram } from '../support/child-program.js';

/** The broker with a configuration of its own, and programs that talk to it. */
export class ListenerBroker {
  readonly folder: string;
  readonly command: Command;
  /** In the order of the configuration. */
  readonly addresses: readonly string[];

  private constructor(folder: string, command: Command, addresses: readonly string[]) {
    this.folder = folder;
    this.command = command;
    this.addresses = addresses;
  }

  static async start(
    listen: readonly object[],
    more: object = {},
    environment?: NodeJS.ProcessEnv,
  ): Promise<ListenerBroker> {
    const folder = mkdtempSync(join(tmpdir(), 'dunlin-listeners-'));
    const file = join(folder, 'dunlin.yaml');
    writeFileSync(file, stringify({ listen, in_memory: true, ...more }));
    const options = { environment };
    const args = ['--config', file, '--log-format', 'json'];
    const command = await Command.start(folder, args, options);
    onTestFinished(async () => {
      await command.kill();
      rmSync(folder, { recursive: true });
    });
    return new ListenerBroker(folder, command, await command.addresses());
  }

  port(listener = 0): string {
    return new URL(this.addresses[listener]!).port;
  }

  /** The lines of the log with this event. */
  events(name: string): Record<string, unknown>[] {
    const lines = this.command.output.split('\n').filter((line) => line.startsWith('{'));
    return lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ event }) => event === name);
  }
}

/** A program that ends with the test. */
export function run(program: string, ...args: string[]): ChildProgram {
  // Without stdbuf these programs keep back what they say until their buffer is full.
  const child = new ChildProgram('stdbuf', ['-oL', program, ...args]);
  onTestFinished(() => child.kill());
  return child;
}

/** Subscribes with the arguments, publishes with the same, and returns what came. */
export async function roundTrip(...args: string[]): Promise<string> {
  const subscriber = run(
    'mosquitto_sub',
    '-d',
    ...args,
    '-q',
    '1',
    '-t',
    'round/trip',
    '-F',
    '=%p',
  );
  await subscriber.takeUntil('Subscribed');
  const text = `hello ${Math.floor(performance.now())}`;
  await run('mosquitto_pub', ...args, '-q', '1', '-t', 'round/trip', '-m', text).succeed();
  const lines = await subscriber.takeUntil('=');
  if (lines.at(-1) !== `=${text}`) throw new Error(`came: ${lines.at(-1)}`);
  subscriber.kill();
  return text;
}
