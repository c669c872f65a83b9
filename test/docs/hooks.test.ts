import { expect, test } from 'vitest';
import { silentLogger } from '../../src/base/log.js';
import { ChangePoint, DecidePoint, Hooks, WatchPoint } from '../../src/broker/hooks.js';
import { createBroker } from '../../src/index.js';
import { codeWords, Page } from './page.js';

const page = new Page('docs/hooks.md');

function kindOf(point: unknown): string {
  if (point instanceof DecidePoint) return 'decide';
  if (point instanceof ChangePoint) return 'change';
  return point instanceof WatchPoint ? 'watch' : 'unknown';
}

test('every hook point is on the page, with its kind', () => {
  const points = Object.entries(new Hooks(silentLogger));
  const named = page.rows('point').map((row) => [codeWords(row['point'])[0], row['kind']]);
  expect(Object.fromEntries(named)).toEqual(
    Object.fromEntries(points.map(([name, point]) => [name, kindOf(point)])),
  );
});

test('all that a running broker has is on the page', async () => {
  const broker = await createBroker();
  const rows = page.rows('of a running broker');
  const named = rows.map((row) => codeWords(row['of a running broker'])[0]!.replace(/\(.*/, ''));
  expect(named.toSorted()).toEqual(Object.keys(broker).toSorted());
  await broker.close();
});
