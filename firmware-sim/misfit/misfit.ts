import { generate, type IConnectPacket, type Packet } from 'mqtt-packet';
import type { Clock, Timer } from '../base/clock.js';
import type { Dial, Line } from '../link/line.js';

/** What a script of a misfit may do with its connection. */
export interface Stage {
  readonly name: string;
  /** How often it has begun, this time included. */
  readonly attempt: number;
  send(packet: Packet): void;
  bytes(bytes: Uint8Array): void;
  after(waitMs: number, run: () => void): void;
  reset(): void;
}

/** A client that breaks the rules, or the broker's patience, in one particular way. */
export interface Misfit {
  readonly name: string;
  /** What it does that it should not. */
  readonly does: string;
  /** Begins when its connection is open; `answered` when the first bytes came back. */
  opened(stage: Stage): void;
  answered?(stage: Stage): void;
  /** How long it waits before it does the same again. */
  readonly againMs: number;
}

export interface MisfitRun {
  readonly attempts: number;
  stop(): void;
}

/** Plays one misfit over and over. */
export function playMisfit(misfit: Misfit, name: string, dial: Dial, clock: Clock): MisfitRun {
  let attempts = 0;
  let isStopped = false;
  let line: Line | undefined;
  const timers = new Set<Timer>();
  const after = (waitMs: number, run: () => void): void => {
    const timer = clock.after(waitMs, () => {
      timers.delete(timer);
      run();
    });
    timers.add(timer);
  };
  const begin = (): void => {
    attempts++;
    let isOver = false;
    let isAnswered = false;
    const stage: Stage = {
      name,
      attempt: attempts,
      send: (packet) => stage.bytes(generate(packet)),
      bytes: (bytes) => {
        if (!isOver) line?.write(Buffer.from(bytes));
      },
      after: (waitMs, run) => after(waitMs, () => (isOver ? undefined : run())),
      reset: () => line?.reset(),
    };
    line = dial({
      // The line is known only when `dial` has returned.
      opened: () => after(0, () => misfit.opened(stage)),
      data: () => {
        if (isAnswered || isOver) return;
        isAnswered = true;
        misfit.answered?.(stage);
      },
      closed: () => {
        isOver = true;
        if (!isStopped) after(misfit.againMs, begin);
      },
    });
  };
  begin();
  return {
    get attempts() {
      return attempts;
    },
    stop: () => {
      isStopped = true;
      for (const timer of timers) timer.cancel();
      line?.reset();
    },
  };
}

export function connectPacket(name: string, more: Partial<IConnectPacket> = {}): IConnectPacket {
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: name,
    clean: true,
    keepalive: 0,
    ...more,
  };
}
