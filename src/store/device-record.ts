import { utf8Bytes } from '../base/utf8.js';
import type { DeviceRecord } from '../broker/store.js';
import type { Entry } from './engine.js';
import { RecordReader } from './record-reader.js';
import type { RecordWriter } from './record-writer.js';

/** The first byte of its values. */
const FORMAT_VERSION = 1;
const VARINT_BYTES_MAX = 5;
const NUMBER_BYTES = 8;
const VARINT_MAX = 0x0fff_ffff;

// V: client, fingerprint, then lists: numbers(8 each), latencies (varints), ends (text, varint)
export function encodeDevice(writer: RecordWriter, record: DeviceRecord): Uint8Array {
  const { numbers, latencies, ends } = record;
  const client = utf8Bytes(record.clientIdentifier);
  const fingerprint = utf8Bytes(record.fingerprint);
  const kinds = [...ends].map(([kind, count]) => [utf8Bytes(kind), count] as const);
  let bytesMax = (5 + latencies.length) * VARINT_BYTES_MAX + numbers.length * NUMBER_BYTES;
  bytesMax += client.length + fingerprint.length;
  for (const [kind] of kinds) bytesMax += kind.length + 2 * VARINT_BYTES_MAX;
  writer.begin(FORMAT_VERSION, bytesMax);
  writer.prefixed(client);
  writer.prefixed(fingerprint);
  writer.varint(numbers.length);
  for (const number of numbers) writer.float64(number);
  writer.varint(latencies.length);
  for (const count of latencies) writer.varint(Math.min(count, VARINT_MAX));
  writer.varint(kinds.length);
  for (const [kind, count] of kinds) {
    writer.prefixed(kind);
    writer.varint(Math.min(count, VARINT_MAX));
  }
  return writer.end();
}

export function decodeDevice(entry: Entry): DeviceRecord {
  const reader = new RecordReader(entry.key, entry.value, FORMAT_VERSION);
  const clientIdentifier = reader.text();
  const fingerprint = reader.text();
  const numbers: number[] = [];
  for (let left = reader.varint(); left > 0; left--) numbers.push(reader.float64());
  const latencies: number[] = [];
  for (let left = reader.varint(); left > 0; left--) latencies.push(reader.varint());
  const ends = new Map<string, number>();
  for (let left = reader.varint(); left > 0; left--) ends.set(reader.text(), reader.varint());
  reader.end();
  return { clientIdentifier, fingerprint, numbers, latencies, ends };
}
