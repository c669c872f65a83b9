import { expect, test } from 'vitest';
import { readCoverage, readExemptions, readStatements } from './harness/statements.js';

const statements = readStatements();
const known = new Set(statements.map(({ key }) => key));
const coverage = readCoverage();
const exemptions = readExemptions();

test('the list of statements is whole', () => {
  expect(statements.filter(({ key }) => key.startsWith('3.1.1 ')).length).toBe(141);
  expect(statements.filter(({ key }) => key.startsWith('5.0 ')).length).toBe(251);
  expect(known.size).toBe(statements.length);
  expect(statements.filter(({ binds }) => !['client', 'server', 'both'].includes(binds))).toEqual(
    [],
  );
});

test('every statement has a case, a flow, or a reason why not', () => {
  const missing = statements.filter(({ key }) => !coverage.has(key) && !exemptions.has(key));
  expect(missing.map(({ key, paraphrase }) => `${key}: ${paraphrase}`)).toEqual([]);
});

test('cases, flows and exemptions name statements that exist', () => {
  const named = [...coverage.keys(), ...exemptions.keys()];
  expect(named.filter((key) => !known.has(key))).toEqual([]);
});

test('no exemption is left of a statement that is tested', () => {
  expect([...exemptions.keys()].filter((key) => coverage.has(key))).toEqual([]);
});

test('an exemption has a reason and the day it was given', () => {
  for (const [key, { reason, since }] of exemptions) {
    expect(reason.length, key).toBeGreaterThan(20);
    expect(since, key).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  }
});

test('what binds the server and can be seen is never exempt', () => {
  const bound = statements.filter(({ binds, isVisible }) => binds !== 'client' && isVisible);
  expect(bound.filter(({ key }) => exemptions.has(key)).map(({ key }) => key)).toEqual([]);
});
