import { expect, test } from 'vitest';
import { inheritedSockets } from '../../src/server/inherited-sockets.js';

test('sockets have the names that systemd gives them, or their numbers', () => {
  const environment = { LISTEN_PID: '7', LISTEN_FDS: '4', LISTEN_FDNAMES: 'mqtt:unknown:mqtt' };
  expect([...inheritedSockets(environment, 7)]).toEqual([
    ['mqtt', 3],
    ['4', 4],
    ['5', 5],
    ['6', 6],
  ]);
});

test('those of another process are not ours', () => {
  const environment = { LISTEN_PID: '7', LISTEN_FDS: '1', LISTEN_FDNAMES: 'mqtt' };
  expect(inheritedSockets(environment, 8).size).toBe(0);
  expect(inheritedSockets({}, 8).size).toBe(0);
  expect(inheritedSockets({ LISTEN_PID: '8', LISTEN_FDS: 'x' }, 8).size).toBe(0);
});
