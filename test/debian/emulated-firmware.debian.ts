import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { realClock } from '../../firmware-sim/base/clock.js';
import { EmulatedDevice } from '../../firmware-sim/emulated/emulated-device.js';
import { type Modem, startModem } from '../../firmware-sim/emulated/modem.js';
import { type CortexMachine, Toolchain } from '../../firmware-sim/emulated/toolchain.js';
import { startLinkServer } from '../../firmware-sim/link/link-server.js';
import { linkProfile } from '../../firmware-sim/link/profiles.js';
import { startBroker } from '../support/broker-process.js';
import { connectMqttJs } from '../support/mqtt-js.js';
import type { BrokerProcess } from '../support/supervised-process.js';

const BAUD = 9600;
const AVR_COUNT = 20;
const AVR_RECEIVE_BYTES_MAX = 160;
const SECONDS_MAX = 150;
const FIRMWARE = { periodMs: 1500, pubackWaitMs: 5000, keepAliveSeconds: 10 };

let broker: BrokerProcess;
let toolchain: Toolchain;
beforeAll(async () => {
  broker = await startBroker();
  toolchain = await Toolchain.open();
});
afterAll(async () => {
  await broker.stop();
  await toolchain.close();
});

interface Seat {
  readonly device: EmulatedDevice;
  readonly modem: Modem;
}

async function modemFor(): Promise<Modem> {
  const modem = await startModem({ host: '127.0.0.1', port: () => broker.port });
  onTestFinished(() => modem.close());
  return modem;
}

async function avrs(numbers: readonly number[]): Promise<Seat[]> {
  const options = { ...FIRMWARE, receiveBytesMax: AVR_RECEIVE_BYTES_MAX };
  const [image, runner] = [await toolchain.avrImage(options), await toolchain.avrRunner()];
  return Promise.all(
    numbers.map(async (number) => {
      const modem = await modemFor();
      const port = modem.port;
      const machine = { number, port, runner, image, baud: BAUD, seconds: SECONDS_MAX };
      return seated(EmulatedDevice.avr(machine), modem);
    }),
  );
}

async function cortex(number: number, machine: CortexMachine): Promise<Seat> {
  const image = await toolchain.cortexImage(machine, { ...FIRMWARE, receiveBytesMax: 256 });
  const modem = await modemFor();
  const uart = await startLinkServer({
    clock: realClock,
    seed: 1,
    profile: linkProfile('serial-9600'),
    target: { host: '127.0.0.1', port: modem.port },
    listenHost: '127.0.0.1',
    listenPort: 0,
  });
  onTestFinished(() => uart.close());
  return seated(EmulatedDevice.cortex({ number, port: uart.port, image, machine }), modem);
}

function seated(device: EmulatedDevice, modem: Modem): Seat {
  onTestFinished(() => device.stop());
  return { device, modem };
}

/** What the fleet sends, by device: the sequence numbers in the order they came. */
interface Telemetry {
  readonly client: MqttClient;
  readonly numbers: Map<number, number[]>;
  readonly bytesLost: Map<number, number>;
}

async function listen(): Promise<Telemetry> {
  const client = await connectMqttJs(broker, 'tcp', 4, { clean: true });
  const numbers = new Map<number, number[]>();
  const bytesLost = new Map<number, number>();
  client.on('message', (topic, payload) => {
    const device = Number(topic.split('/')[1]);
    const fields = /^n=(\d+) ms=\d+ free=(\d+) lost=(\d+)$/.exec(payload.toString());
    if (fields === null) throw new Error(`device ${device} sent ${payload}`);
    numbers.set(device, [...(numbers.get(device) ?? []), Number(fields[1])]);
    bytesLost.set(device, Number(fields[3]));
  });
  await client.subscribeAsync('d/+/up', { qos: 1 });
  return { client, numbers, bytesLost };
}

function oneAfterTheOther(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number === numbers[i - 1]! + 1);
}

function command(client: MqttClient, seats: readonly Seat[], text: string): Promise<unknown> {
  return Promise.all(
    seats.map(({ device }) => client.publishAsync(`d/${device.number}/cmd`, text, { qos: 1 })),
  );
}

function all(
  seats: readonly Seat[],
  holds: (device: EmulatedDevice) => boolean,
  what: string,
): Promise<unknown> {
  return Promise.all(seats.map(({ device }) => device.until(holds, what)));
}

async function dayInTheLife(seats: readonly Seat[]): Promise<void> {
  const { client, numbers, bytesLost } = await listen();
  // CONNECT, SUBSCRIBE, and QoS 1 up.
  await all(seats, (d) => d.latest('session present') === 0, 'CONNACK');
  await all(seats, (d) => d.latest('acknowledged') >= 2, 'PUBACK');
  // QoS 1 down: a command that fits is obeyed, one that does not is drained and acknowledged.
  await command(client, seats, 'r1000');
  await all(seats, (d) => d.latest('command bytes') === 5, 'command');
  await command(client, seats, `r${'0'.repeat(600)}`);
  await all(seats, (d) => d.count('oversize') === 1, 'oversize command');
  await command(client, seats, 'r900');
  await all(seats, (d) => d.latest('command bytes') === 4, 'command behind the oversize one');
  // A reset in mid-session: the device notices a missing PUBACK, and finds its session again.
  for (const { modem } of seats) modem.cut();
  await command(client, seats, 'r1200'); // waits in the session
  await all(seats, (d) => d.latest('session present') === 1, 'session after the reset');
  await all(seats, (d) => d.count('command bytes') >= 3, 'command from the session');
  const before = new Map(seats.map(({ device }) => [device, device.latest('acknowledged')]));
  await all(seats, (d) => d.latest('acknowledged') > before.get(d)! + 1, 'PUBACK after the reset');
  for (const { device, modem } of seats) {
    const sequence = numbers.get(device.number) ?? [];
    // QoS 1: what was sent again may come twice; nothing is missing.
    const once = sequence.filter((number, i) => number !== sequence[i - 1]);
    expect(oneAfterTheOther(once), `device ${device.number}: ${sequence}`).toBe(true);
    expect(sequence.length - once.length).toBeLessThanOrEqual(device.count('connect ') - 1);
    expect(bytesLost.get(device.number), `UART overrun of device ${device.number}`).toBe(0);
    expect(modem.dials).toBeGreaterThanOrEqual(2);
  }
}

test('twenty ATmega328P on serial lines of true 9600 baud', async () => {
  await dayInTheLife(await avrs(Array.from({ length: AVR_COUNT }, (_, i) => i + 1)));
}, 400_000);

test('Cortex-M3 with 64 KB and with 8 KB of RAM', async () => {
  await dayInTheLife([await cortex(101, 'lm3s6965evb'), await cortex(102, 'lm3s811evb')]);
}, 400_000);

test('an ATmega328P keeps what was acknowledged when the broker is killed', async () => {
  const seats = await avrs([201, 202, 203]);
  await all(seats, (d) => d.latest('acknowledged') >= 2, 'PUBACK');
  await broker.kill();
  await broker.restart();
  const { numbers } = await listen();
  await all(seats, (d) => d.latest('session present') === 1, 'session after the kill');
  const before = new Map(seats.map(({ device }) => [device, device.latest('acknowledged')]));
  await all(seats, (d) => d.latest('acknowledged') > before.get(d)! + 1, 'PUBACK after the kill');
  for (const { device } of seats) {
    expect(oneAfterTheOther(numbers.get(device.number)!), `device ${device.number}`).toBe(true);
  }
}, 400_000);
