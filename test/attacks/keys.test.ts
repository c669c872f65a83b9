import { createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../../src/index.js';
import { AttackedBroker } from './attacked-broker.js';
import { comeFrom, connectBytes, inWaves, letIn, Stranger } from './stranger.js';

const PASSWORDS = 1;
const TOKENS = 2;
const BAD_USER_NAME_OR_PASSWORD = 4;
/** Of scrypt, the lowest: how long many hashes take is not the question. */
const HASH_COST = 10;

const issuer = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const publicPem = issuer.publicKey.export({ type: 'spki', format: 'pem' }) as string;

let folder: string;
let broker: AttackedBroker;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dunlin-keys-'));
  const publicKey = join(folder, 'issuer.pem');
  writeFileSync(publicKey, publicPem);
  const authentication = {
    users: [{ name: 'kitchen', password_hash: await hashPassword('right', HASH_COST) }],
    jwt: { algorithms: ['RS256'], public_key: publicKey },
    guessing: { delay_seconds_max: 1 },
  };
  const listen = [
    { url: 'mqtt://127.0.0.1:0', authentication: ['password_file'] },
    { url: 'mqtt://127.0.0.1:0', authentication: ['jwt'] },
  ];
  broker = await AttackedBroker.start(listen, { authentication });
});
afterAll(async () => {
  await broker.stop();
  rmSync(folder, { recursive: true });
});

/** The reason code of CONNACK. */
async function login(listener: number, username: string, password: string): Promise<number> {
  const guest = await Stranger.open(broker.port(listener));
  await guest.say(connectBytes({ username, password: Buffer.from(password) }));
  const answer = await guest.hears(4);
  guest.leave();
  return answer[3] ?? -1;
}

test('100 guesses of a password from one address', async () => {
  const order: string[] = [];
  const attack = async (): Promise<void> => {
    const guesses = inWaves(100, 100, async (i) => {
      expect(await login(PASSWORDS, 'kitchen', `guess-${i}`)).toBe(BAD_USER_NAME_OR_PASSWORD);
      order.push('guess');
    });
    const right = letIn(broker.port(PASSWORDS), {
      username: 'kitchen',
      password: Buffer.from('right'),
    });
    const user = await right;
    order.push('right');
    user.leave();
    await guesses;
  };
  const fields = { address: /^127\.0\.1\./ };
  await broker.withstands(attack, { growthMiBMax: 320, event: 'credentials_refused', fields });
  expect(order.at(-1), 'the right password did not wait for all guesses').toBe('guess');
});

test('100 guesses for one user, each from another address', async () => {
  const attack = async (): Promise<void> => {
    await inWaves(100, 50, async (i) => {
      comeFrom(`127.0.2.${i + 1}`);
      expect(await login(PASSWORDS, 'kitchen', `far-guess-${i}`)).toBe(BAD_USER_NAME_OR_PASSWORD);
    });
    comeFrom('127.0.3.1');
    expect(await login(PASSWORDS, 'kitchen', 'right')).toBe(0);
  };
  const fields = { user: 'kitchen', address: /^127\.0\.2\./ };
  await broker.withstands(attack, { growthMiBMax: 320, event: 'refused', fields });
});

const claims = { sub: 'admin', exp: Math.floor(Date.now() / 1000) + 3600 };

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function unsigned(alg: string): string {
  return `${encoded({ alg, typ: 'JWT' })}.${encoded(claims)}.`;
}

/** The public key, which everybody may know, taken for a secret. */
function confused(): string {
  const text = `${encoded({ alg: 'HS256' })}.${encoded(claims)}`;
  return `${text}.${createHmac('sha256', publicPem).update(text).digest('base64url')}`;
}

async function ownKey(where: 'jwk' | 'x5u'): Promise<string> {
  const jwk = await exportJWK(createPublicKey(stranger.privateKey));
  const header = where === 'jwk' ? { jwk } : { x5u: 'http://127.0.0.1:1/key' };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', ...header })
    .sign(stranger.privateKey);
}

test.each<[string, () => string | Promise<string>, RegExp]>([
  ['alg: none', () => unsigned('none'), /algorithm/],
  ['alg: NonE', () => unsigned('NonE'), /algorithm/],
  ['no signature', () => unsigned('RS256'), /token/],
  ['HS256 by the public key', confused, /algorithm/],
  ['a key that it brings along', () => ownKey('jwk'), /token/],
  ['a key that it points to', () => ownKey('x5u'), /token/],
  ['16 KiB of dots', () => '.'.repeat(16_384), /password/],
  ['64 KB', () => `${'a'.repeat(30_000)}.${'b'.repeat(30_000)}.c`, /password|token/],
])('a token with %s', async (_, make, msg) => {
  const token = await make();
  const attack = async (): Promise<void> => {
    expect(await login(TOKENS, 'admin', token)).toBe(BAD_USER_NAME_OR_PASSWORD);
  };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'refused', fields: { msg } });
});

test('and the right token comes in', async () => {
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256' })
    .sign(issuer.privateKey);
  expect(await login(TOKENS, 'admin', token)).toBe(0);
});
