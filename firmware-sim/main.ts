/**
 * One simulated device behind a serial line:
 *
 *   npm run firmware-sim -- --url mqtt://127.0.0.1:1883 --readings 20
 */
import { parseArgs } from 'node:util';
import { Device, type DeviceReport } from './device.js';
import { startShapingLink } from './shaping-link.js';

// One start bit, eight data bits, one stop bit.
const BITS_PER_BYTE = 10;

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'mqtt://127.0.0.1:1883' },
    readings: { type: 'string', default: '20' },
    baud: { type: 'string', default: '9600' },
    segment: { type: 'string', default: '1' },
    interval: { type: 'string', default: '200' },
    'keep-alive': { type: 'string', default: '15' },
    version: { type: 'string', default: '4' },
    'cut-every': { type: 'string', default: '0' },
    'give-up': { type: 'string', default: '60' },
  },
});

const url = new URL(values.url);
const bytesPerSecond = Number(values.baud) / BITS_PER_BYTE;
const link = await startShapingLink({
  host: url.hostname,
  port: Number(url.port === '' ? 1883 : url.port),
  bytesPerSecond,
  segmentBytes: Number(values.segment),
});
const device = new Device({
  port: link.port,
  clientIdentifier: 'firmware-sim',
  version: values.version === '5' ? 5 : 4,
  topic: 'firmware-sim/reading',
  readings: Number(values.readings),
  intervalMs: Number(values.interval),
  keepAliveSeconds: Number(values['keep-alive']),
  reconnectMs: 500,
});
const cutEveryMs = Number(values['cut-every']) * 1000;
const cutter = cutEveryMs > 0 ? setInterval(() => link.cut(), cutEveryMs) : undefined;
const deadline = setTimeout(() => device.stop(), Number(values['give-up']) * 1000);
const report = await device.run();
clearInterval(cutter);
clearTimeout(deadline);
print(report);
// The last packet crosses the line too before the line is taken down.
setTimeout(() => link.close(), 200);
process.exitCode = report.lost === 0 && report.acknowledged === Number(values.readings) ? 0 : 1;

function print({ connackMs, pubackMs, ...counts }: DeviceReport): void {
  console.log(`line            ${values.baud} baud, ${values.segment} byte(s) a segment`);
  for (const [name, count] of Object.entries(counts)) console.log(`${name.padEnd(16)}${count}`);
  console.log(`${'CONNACK'.padEnd(16)}${times(connackMs)}`);
  console.log(`${'PUBACK'.padEnd(16)}${times(pubackMs)}`);
  console.log(`${'bytes up/down'.padEnd(16)}${link.bytesUp} / ${link.bytesDown}`);
}

function times(milliseconds: readonly number[]): string {
  if (milliseconds.length === 0) return 'none';
  const sorted = [...milliseconds].sort((one, other) => one - other);
  const middle = sorted[Math.floor(sorted.length / 2)]!;
  return `${middle.toFixed(1)} ms median, ${sorted.at(-1)!.toFixed(1)} ms at most`;
}
