import { expect, test } from 'vitest';
import { prepareText } from '../../../src/base/prepare-text.js';
import { scramCredentials } from '../../../src/extensions/scram/credentials.js';

const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');

test('the credentials are those that the vector of RFC 7677 comes from', async () => {
  const credentials = await scramCredentials('pencil', { salt, iterations: 4096 });
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  expect(text(credentials.storedKey)).toBe('WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=');
  expect(text(credentials.serverKey)).toBe('wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=');
  expect(credentials).toMatchObject({ iterations: 4096, salt: new Uint8Array(salt) });
});

test('each has a salt of its own by default', async () => {
  const [one, two] = await Promise.all([
    scramCredentials('p', { iterations: 4096 }),
    scramCredentials('p', { iterations: 4096 }),
  ]);
  expect(one.salt.length).toBe(16);
  expect(one.salt).not.toEqual(two.salt);
  expect(one.storedKey).not.toEqual(two.storedKey);
});

test('too few iterations and impossible passwords are refused', async () => {
  await expect(scramCredentials('p', { iterations: 4095 })).rejects.toThrow('4096 iterations');
  await expect(scramCredentials('')).rejects.toThrow('password');
  await expect(scramCredentials('a\nb')).rejects.toThrow('control characters');
});

test('compatible characters are one, controls and broken surrogates are none', () => {
  expect(prepareText('user')).toBe('user');
  expect(prepareText('e\u0301')).toBe('\u00e9');
  expect(prepareText('\u2168')).toBe('IX');
  expect(prepareText('a\u00a0b')).toBe('a b');
  for (const text of ['', '\0', 'a\u0000', '\u007f', '\u0085', '\ud800']) {
    expect(prepareText(text)).toBeUndefined();
  }
});
