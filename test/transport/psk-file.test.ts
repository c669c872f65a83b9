import { expect, test } from 'vitest';
import { parsePskFile } from '../../src/transport/psk-file.js';

test('identities may have colons and blanks, keys both cases', () => {
  const text = '# comment\r\n\r\na:b c:00112233445566778899AABBCCDDEEFF\r\n';
  const { keys, faults, weak } = parsePskFile(text);
  expect([...keys.keys()]).toEqual(['a:b c']);
  expect(keys.get('a:b c')?.toString('hex')).toBe('00112233445566778899aabbccddeeff');
  expect([faults, weak]).toEqual([[], []]);
});

test('faults name the line and never the key', () => {
  const { keys, faults } = parsePskFile(
    `x\nlong:${'ab'.repeat(65)}\nodd:abc\n${'i'.repeat(129)}:00\nempty:\n`,
  );
  expect(keys.size).toBe(0);
  expect(faults.map((fault) => fault.split(':')[0])).toEqual(
    [1, 2, 3, 4, 5].map((n) => `line ${n}`),
  );
  expect(faults.join()).not.toContain('abab');
});
