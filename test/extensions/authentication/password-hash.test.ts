import { expect, test } from 'vitest';
import {
  hashPassword,
  parsePasswordHash,
  scramHash,
  verifyPassword,
} from '../../../src/extensions/authentication/password-hash.js';
import { scramCredentials } from '../../../src/extensions/scram/credentials.js';

/** By `mosquitto_passwd -b` of Mosquitto 2.0, for the password `secret`. */
const MOSQUITTO_7 =
  '$7$101$qd50caYGHW6bD1Pr$8mtPaahIzeLNU/V2g1JUha0GaUIYOOFHrQe9EyuwRJTTW6rxvzOHYg3jAiJNdNgf5Di6588q8bf5Nl+BlPmVNQ==';
const MOSQUITTO_6 =
  '$6$ZjHBo0sLyornFn5V$++K3BXM76U1jsEidRK3s/29gzClpkAshP0ocCAKlBHsq6LzS/9YcpLEwIZ72WCJJsld2dqkjMVw3lJTvF6yX+w==';
/** RFC 7914, section 12: the password `password`, salt `NaCl`, with 64 bytes of key. */
const RFC_7914 =
  '$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA==';

async function fits(written: string, password: string | Uint8Array): Promise<boolean> {
  const hash = parsePasswordHash(written);
  if (typeof hash === 'string') throw new Error(hash);
  return verifyPassword(hash, typeof password === 'string' ? Buffer.from(password) : password);
}

test.each([
  ['PBKDF2 of mosquitto_passwd', MOSQUITTO_7, 'secret'],
  ['SHA-512 of mosquitto_passwd', MOSQUITTO_6, 'secret'],
  ['scrypt of RFC 7914', RFC_7914, 'password'],
])('%s', async (_, written, password) => {
  expect(await fits(written, password)).toBe(true);
  expect(await fits(written, `${password} `)).toBe(false);
  expect(await fits(written, '')).toBe(false);
});

test('what hashPassword makes fits its password alone, with a salt of its own each time', async () => {
  const [one, two] = [await hashPassword('pässword', 4), await hashPassword('pässword', 4)];
  expect(one).not.toBe(two);
  expect(one).toMatch(/^\$scrypt\$ln=4,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  expect(await fits(one!, 'pässword')).toBe(true);
  expect(await fits(one!, 'passwort')).toBe(false);
});

test('SCRAM keys also try plain passwords, in the form that SCRAM compares', async () => {
  const written = scramHash(await scramCredentials('pass\u00e9', { iterations: 4096 }));
  expect(await fits(written, 'passe\u0301')).toBe(true);
  expect(await fits(written, 'passe')).toBe(false);
  expect(await fits(written, Uint8Array.of(0xff, 0xfe))).toBe(false);
  expect(parsePasswordHash(written)).toMatchObject({ kind: 'scram-sha-256', iterations: 4096 });
});

test.each([
  ['secret', 'a plain password is never taken'],
  ['', 'a plain password is never taken'],
  ['$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA', 'Argon2id'],
  ['$2b$10$abcdefghijklmnopqrstuv', '$2b$ is no password hash known here'],
  ['$7$0$qd50$8mtPaahIzeLNU/V2g1JUha0GaUIYOOFH', 'this $7$ hash is malformed'],
  ['$7$99999999999$qd50$8mtPaahIzeLNU/V2g1JUha0GaUIYOOFH', 'this $7$ hash is malformed'],
  ['$7$101$qd50$8mtP', 'this $7$ hash is malformed'],
  ['$6$qd50$8mtP', 'this $6$ hash is malformed'],
  ['$scrypt$ln=14,r=8$c2FsdA$aGFzaA', 'this $scrypt$ hash is malformed'],
  [RFC_7914.replace('ln=10', 'ln=25'), 'needs more than 256 MiB'],
  [RFC_7914.replace('p=16', 'p=0'), 'needs more than 256 MiB or has a 0'],
  ['$scram-sha-256$i=4096$c2FsdA$c2FsdA$c2FsdA', 'are malformed'],
])('%j is refused with a sentence', (written, sentence) => {
  expect(parsePasswordHash(written)).toContain(sentence);
});

test('no sentence has the password in it', () => {
  expect(parsePasswordHash('correct horse')).not.toContain('horse');
});
