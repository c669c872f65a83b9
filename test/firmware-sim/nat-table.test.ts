import { expect, test } from 'vitest';
import { NatTable } from '../../firmware-sim/packet-link/nat-table.js';

const SYN = 0x02;
const ACK = 0x10;

/** IPv4 and TCP without options, as far as anybody looks. */
function packet(sourcePort: number, destinationPort: number, flags: number): Uint8Array {
  const bytes = Buffer.alloc(40);
  bytes[0] = 0x45;
  bytes[9] = 6;
  bytes.writeUInt16BE(sourcePort, 20);
  bytes.writeUInt16BE(destinationPort, 22);
  bytes[33] = flags;
  return bytes;
}

const up = (flags: number, port = 40_000) => packet(port, 1883, flags);
const down = (flags: number, port = 40_000) => packet(1883, port, flags);

test('a connection is forgotten when it is silent for too long, and only that one', () => {
  const nat = new NatTable(1_000);
  expect(nat.passes(up(SYN), 'up', 0)).toBe(true);
  expect(nat.passes(up(SYN, 50_000), 'up', 0)).toBe(true);
  expect(nat.passes(down(SYN | ACK), 'down', 10)).toBe(true);
  expect(nat.passes(up(ACK), 'up', 1_010)).toBe(true);
  expect(nat.passes(up(ACK, 50_000), 'up', 1_010)).toBe(false);
  expect(nat.passes(down(ACK), 'down', 2_010)).toBe(true);
  expect(nat.passes(down(ACK), 'down', 3_011)).toBe(false);
  // Nothing brings it back but a new connection.
  expect(nat.passes(up(ACK), 'up', 3_012)).toBe(false);
  expect(nat.passes(up(SYN), 'up', 3_013)).toBe(true);
  expect(nat.passes(down(SYN | ACK), 'down', 3_014)).toBe(true);
});

test('nobody comes in from outside, and what is not TCP passes', () => {
  const nat = new NatTable(1_000);
  expect(nat.passes(down(SYN), 'down', 0)).toBe(false);
  const ping = Buffer.alloc(28);
  ping[0] = 0x45;
  ping[9] = 1;
  expect(nat.passes(ping, 'down', 0)).toBe(true);
});
