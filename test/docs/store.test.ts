import { expect, test } from 'vitest';
import { STORE_FORMAT_VERSION } from '../../src/disk/store-marker.js';
import { Family } from '../../src/store/key.js';
import { RECORD_FORMAT_VERSION } from '../../src/store/record.js';
import { codeWords, Page } from './page.js';

const page = new Page('docs/store.md');
const rows = page.rows('family');

test('the key families are those of the store', () => {
  const families = rows.filter((row) => row['byte'] !== undefined);
  const named = families.map((row) => {
    const [, letter, hex] = /^`(.)` (0x[0-9a-f]{2})$/.exec(row['byte']!) ?? [];
    expect(letter?.charCodeAt(0)).toBe(Number(hex));
    return [codeWords(row['family'])[0], Number(hex)];
  });
  expect(Object.fromEntries(named)).toEqual(Family);
});

test('the values of all families are described', () => {
  const described = rows.filter((row) => row['byte'] === undefined);
  const named = described.flatMap((row) => codeWords(row['family']));
  expect(named.toSorted()).toEqual(Object.keys(Family).toSorted());
});

test('the versions are the real ones', () => {
  expect(page.text).toContain(`is the format version of the record, \`${RECORD_FORMAT_VERSION}\``);
  expect(page.text).toContain(`\ndunlin store, format ${STORE_FORMAT_VERSION}\n`);
});
