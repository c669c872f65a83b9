import { expect, test } from 'vitest';
import { receiveQueues, residentBytes, sendQueues } from '../../../firmware-sim/broker/memory.js';

// 0x075B is port 1883; the queue is in hexadecimal as well.
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 0100007F:075B 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0
   1: 0100007F:075B 0100007F:C350 01 0003D090:00000000 01:00000014 00000000  0
   2: 0100007F:C350 0100007F:075B 01 00000000:0000FFFF 00:00000000 00000000  0
`;

test('send queues of the broker by the port of the other end', () => {
  expect(sendQueues(1883, TABLE)).toEqual(
    new Map([
      [0, 0],
      [50_000, 250_000],
    ]),
  );
});

test('what has arrived for devices and is not read, by their own port', () => {
  expect(receiveQueues(1883, TABLE)).toEqual(new Map([[50_000, 65_535]]));
});

test('resident memory of this process, and none of one that is not there', () => {
  expect(residentBytes(process.pid)).toBeGreaterThan(10_000_000);
  expect(residentBytes(undefined)).toBeUndefined();
  expect(residentBytes(2 ** 22 + 1)).toBeUndefined();
});
