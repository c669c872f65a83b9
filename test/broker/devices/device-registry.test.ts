import { expect, test } from 'vitest';
import { DeviceRegistry } from '../../../src/broker/devices/device-registry.js';

test('the devices not seen for longest are forgotten, and long names are not kept at all', () => {
  const forgotten: string[] = [];
  const registry = new DeviceRegistry(2, ({ clientIdentifier }) =>
    forgotten.push(clientIdentifier),
  );
  const long = 'x'.repeat(60_000);
  for (const name of ['a', 'b', 'a', long, 'c']) registry.see(name).connections++;
  expect([...registry.all()].map((device) => device.clientIdentifier)).toEqual(['a', 'c']);
  expect(registry.get('a')!.connections).toBe(2);
  expect(registry.get(long)).toBeUndefined();
  expect(forgotten).toEqual(['b']);
});
