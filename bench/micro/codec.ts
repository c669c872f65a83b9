import { decodePublish } from '../../src/wire/decode-publish.js';
import { Framer } from '../../src/wire/framer.js';
import { Publish } from '../../src/wire/publish.js';
import { PublishFrame } from '../../src/wire/publish-frame.js';
import { encode } from '../load/packets.js';
import { type MicroTask, sink } from './task.js';

const PACKETS = 1000;
const PACKET_BYTES_MAX = 65_536;
const properties = { contentType: 'text/plain', userProperties: { unit: 'celsius' } };

export function codecTasks(): MicroTask[] {
  return [
    frame('framer, 1,000 packets in one chunk', chunkOf(4, {}), chunkOf(4, {}).length),
    frame('framer, the same in pieces of 1,460 bytes', chunkOf(4, {}), 1460),
    decode('decode PUBLISH 3.1.1', chunkOf(4, {}), 4),
    decode('decode PUBLISH 5.0 with properties', chunkOf(5, { properties }), 5),
    template('PUBLISH frame, same version', 4, 4),
    template('PUBLISH frame, 3.1.1 to 5.0', 4, 5),
  ];
}

function publishOf(version: 4 | 5, more: object): Buffer {
  const payload = Buffer.alloc(64, 'x');
  const topic = 'load/site-0001/temperature';
  const fields = { topic, payload, qos: 0 as const, retain: false, dup: false, ...more };
  return encode(version, { cmd: 'publish', ...fields });
}

function chunkOf(version: 4 | 5, more: object): Buffer {
  return Buffer.concat(Array.from({ length: PACKETS }, () => publishOf(version, more)));
}

function frame(name: string, chunk: Buffer, pieceBytes: number): MicroTask {
  const framer = new Framer(PACKET_BYTES_MAX);
  const run = (): void => {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      framer.push(chunk.subarray(at, Math.min(chunk.length, at + pieceBytes)));
      while (framer.next()) sink.value += framer.packetEnd;
    }
  };
  return { name, operations: PACKETS, run };
}

function decode(name: string, chunk: Buffer, version: 4 | 5): MicroTask {
  const framer = new Framer(PACKET_BYTES_MAX);
  const publish = new Publish();
  const run = (): void => {
    framer.push(chunk);
    while (framer.next()) {
      decodePublish(publish, framer, version);
      sink.value += publish.payloadStart;
    }
  };
  return { name: `${name} (with the framer)`, operations: PACKETS, run };
}

/** From a decoded PUBLISH to the bytes that are copied for each receiver. */
function template(name: string, from: 4 | 5, to: 4 | 5): MicroTask {
  const framer = new Framer(PACKET_BYTES_MAX);
  framer.push(publishOf(from, {}));
  framer.next();
  const publish = new Publish();
  decodePublish(publish, framer, from);
  const topic = publish.bytes.subarray(publish.topicStart, publish.topicEnd);
  const publishFrame = new PublishFrame();
  const run = (): void => {
    for (let i = 0; i < PACKETS; i++) {
      publishFrame.fromPublish(publish, topic, from);
      sink.value += publishFrame.template(to, false).headEnd;
    }
  };
  return { name, operations: PACKETS, run };
}
