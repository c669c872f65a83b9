import { expect, test } from 'vitest';
import { cases, casesNamed } from '../../bench/cases/catalog.js';
import { compareOptions } from '../../bench/compare/options.js';
import { loadOptions } from '../../bench/load/options.js';
import { plainShape, topicsOf } from '../../bench/load/shape.js';

test('without flags the load is the plain shape', () => {
  const options = loadOptions([]);
  expect(options.shape).toEqual(plainShape);
  expect(options).toMatchObject({ caseName: undefined, broker: 'dunlin', seconds: 5, json: false });
});

test('flags change the shape', () => {
  const { shape } = loadOptions(['--pairs', '7', '--qos', '2', '--version', '5', '--topic-alias']);
  expect(shape).toEqual({ ...plainShape, pairs: 7, qos: 2, version: 5, topicAlias: true });
});

test.each([
  ['--qos', '3'],
  ['--pairs', '0'],
  ['--pairs', '1.5'],
  ['--pairs', ''],
  ['--payload', '5'],
  ['--transport', 'pigeon'],
  ['--broker', 'hornet'],
  ['--unknown', '1'],
])('%s %s is refused', (flag, value) => {
  expect(() => loadOptions([flag, value])).toThrow();
});

test('one case at a time', () => {
  expect(loadOptions(['pairs-qos1']).caseName).toBe('pairs-qos1');
  expect(() => loadOptions(['pairs-qos1', 'pairs-qos2'])).toThrow('one case');
});

test('a comparison runs everything unless told', () => {
  expect(compareOptions([])).toMatchObject({ cases, rounds: 3, seconds: 3 });
  const quick = compareOptions(['--quick']);
  expect(quick.cases.length).toBeLessThan(15);
  expect(quick.rounds).toBe(1);
});

test('cases are named, one by one or by their beginning', () => {
  const names = casesNamed(['pairs-qos0', 'payload-*']).map(({ name }) => name);
  expect(names[0]).toBe('pairs-qos0');
  expect(names).toContain('payload-256k');
  expect(() => compareOptions(['--cases', 'pairs-qos9'])).toThrow('pairs-qos9');
  expect(() => compareOptions(['--brokers', 'hornet'])).toThrow('hornet');
});

test('case names differ', () => {
  expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
});

test('subscriptions are shared out, and wildcards match the names of their own group alone', () => {
  const shape = { ...plainShape, pairs: 10, subscriptions: 100, wildcards: true };
  const { names, filters } = topicsOf(shape, 3);
  expect(names).toHaveLength(10);
  expect(filters[9]).toBe('load/site-0003/+/0000009/#');
  expect(names[9]).toBe('load/site-0003/device/0000009/state');
});
