import type { Timer } from '../base/clock.js';
import { receiveQueues, residentBytes, sendQueues } from '../broker/memory.js';
import type { PlacedDevice, World } from './world.js';

const LOOK_EVERY_MS = 50;

/** What the broker and the kernel beside it hold for devices that do not read, at their most. */
export class StalledMemory {
  #residentMax = 0;
  #kernelMax = 0;
  readonly #residentBefore: number | undefined;
  readonly #world: World;
  readonly #ports: readonly (number | undefined)[];
  readonly #timer: Timer;

  constructor(world: World, devices: readonly PlacedDevice[]) {
    this.#world = world;
    this.#ports = devices.map(({ link }) => link.localPorts[0]);
    this.#residentBefore = residentBytes(world.broker.pid);
    this.#timer = world.every(LOOK_EVERY_MS, () => this.#look());
  }

  get residentGrowth(): number | undefined {
    if (this.#residentBefore === undefined) return undefined;
    return Math.max(0, this.#residentMax - this.#residentBefore);
  }

  /** In the send queues of all of them. */
  get kernelBytes(): number {
    return this.#kernelMax;
  }

  get perDevice(): number | undefined {
    const growth = this.residentGrowth;
    return growth === undefined ? undefined : (growth + this.#kernelMax) / this.#ports.length;
  }

  /** On both sides of each connection; undefined where the kernel does not tell. */
  kernelBytesNow(): number[] | undefined {
    const { port } = this.#world.broker;
    const [sending, arrived] = [sendQueues(port), receiveQueues(port)];
    if (sending === undefined || arrived === undefined) return undefined;
    return this.#ports.map((own) => {
      return own === undefined ? 0 : (sending.get(own) ?? 0) + (arrived.get(own) ?? 0);
    });
  }

  stop(): void {
    this.#look();
    this.#timer.cancel();
  }

  #look(): void {
    const { pid, port } = this.#world.broker;
    this.#residentMax = Math.max(this.#residentMax, residentBytes(pid) ?? 0);
    const queues = sendQueues(port);
    const kernel = this.#ports.reduce<number>((sum, own) => sum + (queues?.get(own ?? 0) ?? 0), 0);
    this.#kernelMax = Math.max(this.#kernelMax, kernel);
  }
}
