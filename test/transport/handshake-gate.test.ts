import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Applicant, HandshakeGate } from '../../src/transport/handshake-gate.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

class Device implements Applicant {
  readonly host: string;
  isGone = false;
  hasBegun = false;
  refused = '';

  constructor(host = '192.0.2.1') {
    this.host = host;
  }

  begin(): void {
    this.hasBegun = true;
  }

  refuse(reason: string): void {
    this.refused = reason;
  }
}

function apply(gate: HandshakeGate, count: number, host?: string): Device[] {
  const devices = Array.from({ length: count }, () => new Device(host));
  for (const device of devices) gate.apply(device);
  return devices;
}

const begun = (devices: readonly Device[]): number =>
  devices.filter(({ hasBegun }) => hasBegun).length;

test('handshakes begin at a steady pace', () => {
  const gate = new HandshakeGate({ perSecondMax: 100, openMax: 1000 });
  const devices = apply(gate, 200);
  expect(begun(devices)).toBe(2);
  vi.advanceTimersByTime(1000);
  expect(begun(devices)).toBeGreaterThanOrEqual(100);
  expect(begun(devices)).toBeLessThanOrEqual(105);
  expect(devices.map(({ hasBegun }) => hasBegun).lastIndexOf(true)).toBe(begun(devices) - 1);
  vi.advanceTimersByTime(1000);
  expect(begun(devices)).toBe(200);
  expect(gate.waiting).toBe(0);
});

test('one address does not keep out another', () => {
  const gate = new HandshakeGate({ perSecondMax: 100, openMax: 1000 });
  apply(gate, 500, '203.0.113.66');
  const other = apply(gate, 10, '192.0.2.1');
  vi.advanceTimersByTime(250);
  expect(begun(other)).toBe(10);
});

test('too many of one address, and of all, are refused', () => {
  const gate = new HandshakeGate({ perSecondMax: 1, openMax: 1000 });
  const flood = apply(gate, 1100, '203.0.113.1');
  expect(flood.filter(({ refused }) => refused !== '').length).toBe(1100 - 1 - 1024);
  for (const host of ['203.0.113.2', '203.0.113.3', '203.0.113.4']) apply(gate, 1024, host);
  const [late] = apply(gate, 1, '192.0.2.1');
  expect(late!.refused).toContain('too many handshakes are waiting');
  gate.close();
});

test('the oldest makes room', () => {
  const gate = new HandshakeGate({ perSecondMax: 1000, openMax: 3 });
  const [first, second, third, fourth] = apply(gate, 4) as [Device, Device, Device, Device];
  expect([first.refused !== '', second.refused, third.refused]).toEqual([true, '', '']);
  expect(fourth.hasBegun).toBe(true);
  gate.leave(second);
  expect(gate.open).toBe(2);
  apply(gate, 1);
  expect(third.refused).toBe('');
});

test('room is made by the address that has most handshakes open', () => {
  const gate = new HandshakeGate({ perSecondMax: 1000, openMax: 10 });
  const [slow] = apply(gate, 1, '192.0.2.1');
  const flood = apply(gate, 500, '203.0.113.66');
  vi.advanceTimersByTime(1000);
  expect(begun(flood)).toBe(500);
  expect(slow!.refused).toBe('');
  expect(flood.filter(({ refused }) => refused !== '').length).toBe(500 - 9);
  expect(flood.at(-1)!.refused).toBe('');
  gate.leave(slow!);
  expect(gate.open).toBe(9);
});

test('one that has gone takes nobody elses turn', () => {
  const gate = new HandshakeGate({ perSecondMax: 20, openMax: 1000 });
  const devices = apply(gate, 11);
  for (const device of devices.slice(1, 10)) device.isGone = true;
  vi.advanceTimersByTime(50);
  expect(devices[10]!.hasBegun).toBe(true);
  expect(begun(devices)).toBe(2);
});
