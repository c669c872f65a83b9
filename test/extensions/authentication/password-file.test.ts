import { expect, test } from 'vitest';
import {
  judgeUserName,
  parsePasswordFile,
  withUser,
} from '../../../src/extensions/authentication/password-file.js';

const HASH = '$7$101$qd50caYGHW6bD1Pr$8mtPaahIzeLNU/V2g1JUhQ==';

test('names, hashes and groups; comments, blank lines and Windows line ends aside', () => {
  const text = `\ufeff# users\r\nkitchen:${HASH}\r\n\r\nöl fen:${HASH}:home, lights\n#x:y\n`;
  const { users, faults } = parsePasswordFile(text, 'passwords');
  expect(faults).toEqual([]);
  expect(users).toMatchObject([
    { name: 'kitchen', groups: [], written: HASH },
    { name: 'öl fen', groups: ['home', 'lights'], written: HASH },
  ]);
});

test('each line that cannot be used is told, with its number, and without its secret', () => {
  const lines = ['a', 'b:plain', `c:${HASH}:x:y`, `d:${HASH}`, `d:${HASH}`, `:${HASH}`];
  const { users, faults } = parsePasswordFile(`${lines.join('\n')}\ne:${HASH}:a,,b`, '/etc/pw');
  expect(users.map(({ name }) => name)).toEqual(['d']);
  expect(faults).toEqual([
    '/etc/pw:1: expected name:hash or name:hash:groups, as "dunlin passwd" writes it',
    expect.stringMatching(/^\/etc\/pw:2: this is no password hash: .* \(user b\)$/),
    '/etc/pw:3: expected name:hash or name:hash:groups, as "dunlin passwd" writes it',
    '/etc/pw:5: the user d is there already: remove one of the lines',
    '/etc/pw:6: a user name must not be empty',
    expect.stringMatching(/^\/etc\/pw:7: "" is no name for a group/),
  ]);
  expect(faults.join()).not.toContain('plain:');
});

test.each([
  ['', 'empty'],
  ['a:b', 'colon'],
  ['#a', 'begin with #'],
  ['a\nb:$7$', 'colon'],
  ['a\nb', 'control characters'],
  ['a\u0085b', 'control characters'],
  [' a', 'blank'],
  ['a\ud800', 'control characters'],
  ['ä'.repeat(513), '1024 bytes'],
])('%j is no user name', (name, sentence) => {
  expect(judgeUserName(name)).toContain(sentence);
});

test('a user is added, changed with groups kept or replaced, and removed; all else stays', () => {
  const before = '# mine\na:1:x,y\nab:2';
  expect(withUser(before, 'c', '3', ['g'])).toBe('# mine\na:1:x,y\nab:2\nc:3:g\n');
  expect(withUser(before, 'a', '3', undefined)).toBe('# mine\na:3:x,y\nab:2\n');
  expect(withUser(before, 'a', '3', [])).toBe('# mine\na:3\nab:2\n');
  expect(withUser(before, 'ab', undefined, undefined)).toBe('# mine\na:1:x,y\n');
  expect(withUser(before, 'nobody', undefined, undefined)).toBe(`${before}\n`);
  expect(withUser('', 'a', '1', undefined)).toBe('a:1\n');
});
