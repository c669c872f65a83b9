import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Device } from '../../firmware-sim/device.js';
import { type ShapingLink, startShapingLink } from '../../firmware-sim/shaping-link.js';
import { startBroker } from '../support/broker-process.js';
import { connectMqttJs, Inbox } from '../support/mqtt-js.js';
import type { BrokerProcess } from '../support/supervised-process.js';

const READINGS = 40;

let broker: BrokerProcess;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.stop());

async function startLink(bytesPerSecond: number, segmentBytes: number): Promise<ShapingLink> {
  const { port } = broker;
  const link = await startShapingLink({ host: '127.0.0.1', port, bytesPerSecond, segmentBytes });
  onTestFinished(() => link.close());
  return link;
}

function device(link: ShapingLink, version: 4 | 5, name: string): Device {
  const started = new Device({
    port: link.port,
    clientIdentifier: name,
    version,
    topic: `device/${name}`,
    readings: READINGS,
    intervalMs: 5,
    keepAliveSeconds: 1,
    reconnectMs: 10,
  });
  onTestFinished(() => started.stop());
  return started;
}

test.each([4, 5] as const)(
  'a device behind a slow line, byte by byte, version %s',
  async (version) => {
    const name = `slow-${version}`;
    const observer = await connectMqttJs(broker, 'tcp', 5);
    const inbox = new Inbox(observer);
    await observer.subscribeAsync(`device/${name}`, { qos: 1 });
    const link = await startLink(20_000, 1);
    const report = await device(link, version, name).run();
    expect(report).toMatchObject({
      published: READINGS,
      acknowledged: READINGS,
      lost: 0,
      resent: 0,
    });
    const numbers = (await inbox.takeTexts(READINGS)).map((text) => Number(text.split(' ')[0]));
    expect(numbers).toEqual(Array.from({ length: READINGS }, (_, index) => index));
  },
);

test.each([4, 5] as const)(
  'a device whose line breaks resumes and loses nothing, version %s',
  async (version) => {
    const name = `broken-${version}`;
    const observer = await connectMqttJs(broker, 'tcp', 5);
    const inbox = new Inbox(observer);
    await observer.subscribeAsync(`device/${name}`, { qos: 1 });
    const link = await startLink(20_000, 3);
    let cuts = 0;
    // Cut right when a reading arrives: its PUBACK is still under way on the slow line.
    observer.on('message', () => {
      if (cuts < 5) {
        cuts++;
        link.cut();
      }
    });
    const report = await device(link, version, name).run();
    expect(report).toMatchObject({ published: READINGS, acknowledged: READINGS, lost: 0 });
    expect(report.connections).toBe(6);
    expect(report.sessionsResumed).toBe(5);
    expect(report.resent).toBe(5);
    // Resent readings came twice: QoS 1 allows that, and no reading may be missing.
    const numbers = (await inbox.takeTexts(READINGS + 5)).map((text) => Number(text.split(' ')[0]));
    expect(new Set(numbers).size).toBe(READINGS);
  },
);

test('the line keeps its pace', async () => {
  const link = await startLink(2_000, 1);
  const started = performance.now();
  const report = await device(link, 4, 'pace').run();
  const seconds = (performance.now() - started) / 1000;
  expect(report.acknowledged).toBe(READINGS);
  // A lower bound holds on any machine: the bytes cannot have crossed faster than the line is.
  expect(link.bytesUp / 2_000).toBeLessThan(seconds);
});
