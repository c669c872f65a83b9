import { Device } from '../../session/device.js';

/** Nobody gives a device a longer Client Identifier: of one that has it nothing is kept. */
const IDENTIFIER_LENGTH_MAX = 1024;

/** What is known of devices, by Client Identifier; the ones not seen for longest are forgotten. */
export class DeviceRegistry {
  readonly #devices = new Map<string, Device>();
  readonly #devicesMax: number;
  readonly #forgotten: (device: Device) => void;

  constructor(devicesMax: number, forgotten: (device: Device) => void) {
    this.#devicesMax = devicesMax;
    this.#forgotten = forgotten;
  }

  get(clientIdentifier: string): Device | undefined {
    return this.#devices.get(clientIdentifier);
  }

  /** Those seen last come last. */
  all(): Iterable<Device> {
    return this.#devices.values();
  }

  /** The device was seen: it is made if it is not known. */
  see(clientIdentifier: string): Device {
    const device = this.#devices.get(clientIdentifier) ?? new Device(clientIdentifier);
    this.put(device);
    return device;
  }

  put(device: Device): void {
    if (device.clientIdentifier.length > IDENTIFIER_LENGTH_MAX) return;
    this.#devices.delete(device.clientIdentifier);
    this.#devices.set(device.clientIdentifier, device);
    if (this.#devices.size <= this.#devicesMax) return;
    const [oldest] = this.#devices.values();
    if (oldest === undefined) return;
    this.#devices.delete(oldest.clientIdentifier);
    this.#forgotten(oldest);
  }

  delete(clientIdentifier: string): boolean {
    return this.#devices.delete(clientIdentifier);
  }
}
