import { createHmac, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, type JWTPayload, type JWTVerifyGetKey, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Identity } from '../../../src/broker/hooks.js';
import {
  type JwtKeySettings,
  readJwtKeys,
} from '../../../src/extensions/authentication/jwt-keys.js';
import { JwtMethod } from '../../../src/extensions/authentication/jwt-method.js';
import {
  type JwtSettings,
  JwtVerifier,
  type TokenFault,
} from '../../../src/extensions/authentication/jwt-verifier.js';
import { TestTime } from '../../broker/test-time.js';
import { loginRequest } from './login-requests.js';

const time = new TestTime();
const nowSeconds = Math.floor(time.wallMs() / 1000);
const SECRET = 'a secret that has some more than 32 bytes';
const folder = mkdtempSync(join(tmpdir(), 'dunlin-jwt-'));
afterAll(() => rmSync(folder, { recursive: true }));

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed = generateKeyPairSync('ed25519');
const rsaPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();

const settings: JwtSettings = {
  algorithms: ['RS256'],
  issuer: ['https://issuer.example'],
  audience: ['dunlin', 'broker'],
  clockToleranceSeconds: 5,
  requiredClaims: [],
  requireExpiry: true,
  userNameClaim: 'sub',
  groupsClaim: 'groups',
  clientIdentifierClaim: undefined,
};

const claims: JWTPayload = {
  sub: 'kitchen',
  iss: 'https://issuer.example',
  aud: 'dunlin',
  exp: nowSeconds + 3600,
};

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function keyFile(name: string, key: KeyObject): string {
  return file(name, key.export({ type: 'spki', format: 'pem' }).toString());
}

async function verifier(
  keys: Partial<JwtKeySettings>,
  more: Partial<JwtSettings> = {},
): Promise<JwtVerifier> {
  const algorithms = more.algorithms ?? keys.algorithms ?? settings.algorithms;
  const none = { secret: undefined, publicKey: undefined, jwks: undefined };
  const resolver = await readJwtKeys({ ...none, ...keys, algorithms });
  if (typeof resolver !== 'function') throw new Error(resolver.join('\n'));
  return new JwtVerifier({ ...settings, ...more, algorithms }, resolver, time);
}

function sign(
  payload: { readonly [claim: string]: unknown },
  key: KeyObject | Uint8Array = rsa.privateKey,
  header: { alg: string; [name: string]: unknown } = { alg: 'RS256' },
): Promise<string> {
  return new SignJWT(payload as JWTPayload).setProtectedHeader(header).sign(key);
}

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function sentenceOf(result: Identity | TokenFault): string {
  if (!('sentence' in result)) throw new Error('the token was taken');
  return result.sentence;
}

let rs256: JwtVerifier;
beforeAll(async () => {
  rs256 = await verifier({ publicKey: file('rsa.pem', rsaPem) });
});

test.each([
  ['RS256', rsa, 'rsa2.pem'],
  ['PS256', rsa, 'rsa2.pem'],
  ['ES256', ec, 'ec.pem'],
  ['EdDSA', ed, 'ed.pem'],
])('%s with a key in PEM', async (alg, { privateKey, publicKey }, name) => {
  const judge = await verifier({ publicKey: keyFile(name, publicKey) }, { algorithms: [alg] });
  const token = await sign({ ...claims, groups: ['home'] }, privateKey, { alg });
  expect(await judge.verify(token, 'c')).toMatchObject({
    userName: 'kitchen',
    groups: ['home'],
    method: 'jwt',
    expiresAtMs: (nowSeconds + 3605) * 1000,
    permissions: undefined,
    claims: { iss: 'https://issuer.example' },
  });
});

test('HS256 with a secret', async () => {
  const judge = await verifier({ secret: SECRET }, { algorithms: ['HS256'] });
  const token = await sign(claims, Buffer.from(SECRET), { alg: 'HS256' });
  expect(await judge.verify(token, 'c')).toMatchObject({ userName: 'kitchen' });
  const forged = await sign(claims, Buffer.from(SECRET.replace('32', '33')), { alg: 'HS256' });
  expect(sentenceOf(await judge.verify(forged, 'c'))).toBe('the token is not valid');
});

test.each(['none', 'None', 'NONE', 'nOnE', ''])('alg %j is not taken', async (alg) => {
  for (const signature of ['', 'x', part({})]) {
    const token = `${part({ alg, typ: 'JWT' })}.${part(claims)}.${signature}`;
    expect(sentenceOf(await rs256.verify(token, 'c'))).toMatch(/not (accepted|valid)/);
  }
});

test('a public key is never taken for a secret, also where both kinds are accepted', async () => {
  const both = await verifier(
    { publicKey: file('rsa.pem', rsaPem), secret: SECRET },
    { algorithms: ['RS256', 'HS256'] },
  );
  const keys = [rsaPem, rsaPem.trim(), rsa.publicKey.export({ type: 'spki', format: 'der' })];
  for (const key of keys) {
    const head = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
    const token = `${head}.${createHmac('sha256', key).update(head).digest('base64url')}`;
    expect(sentenceOf(await rs256.verify(token, 'c'))).toContain('algorithm');
    expect(sentenceOf(await both.verify(token, 'c'))).toBe('the token is not valid');
  }
  const right = await sign(claims, Buffer.from(SECRET), { alg: 'HS256' });
  expect(await both.verify(right, 'c')).toMatchObject({ userName: 'kitchen' });
});

test('an algorithm that is not on the list is refused, though the key could do it', async () => {
  const token = await sign(claims, rsa.privateKey, { alg: 'RS512' });
  expect(sentenceOf(await rs256.verify(token, 'c'))).toContain('algorithm');
});

test('keys that a token brings along or points to are not used', async () => {
  const jwk = await exportJWK(otherRsa.publicKey);
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    response.end(JSON.stringify({ keys: [jwk] }));
  });
  await listening(server);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  const headers = [
    { jwk },
    { jku: url },
    { x5u: url },
    { kid: '../../../../dev/null' },
    { kid: url },
    { kid: "' UNION SELECT 'x" },
    { crit: ['exp'], exp: 1 },
  ];
  for (const header of headers) {
    const token = await sign(claims, otherRsa.privateKey, {
      alg: 'RS256',
      kid: 'a',
      ...header,
    }).catch(() => `${part({ alg: 'RS256', ...header })}.${part(claims)}.c2lnbmVk`);
    expect(sentenceOf(await rs256.verify(token, 'c')), JSON.stringify(header)).toBe(
      'the token is not valid',
    );
  }
  expect(asked).toEqual([]);
});

test.each([
  [{ exp: nowSeconds - 6 }, 'the token has expired'],
  [{ exp: undefined }, 'the token has no exp'],
  [{ exp: 'tomorrow' as unknown as number }, 'the token is not valid (exp)'],
  [{ nbf: nowSeconds + 60 }, 'the token is not valid yet (nbf)'],
  [{ aud: 'other' }, 'the token is not meant for this broker (aud)'],
  [{ aud: ['other', 'more'] }, 'the token is not meant for this broker (aud)'],
  [{ aud: undefined }, 'the token has no aud'],
  [{ iss: 'https://issuer.example.evil' }, 'not from an issuer that is accepted (iss)'],
  [{ iss: undefined }, 'the token has no iss'],
  [{ sub: undefined }, 'the token names no user (sub)'],
  [{ sub: '' }, 'the token names no user (sub)'],
  [{ sub: 7 as unknown as string }, 'the token names no user (sub)'],
  [{ sub: 'a\u0000b' }, 'the token names no user (sub)'],
  [{ groups: [7] }, 'the groups of the token are malformed (groups)'],
  [{ acl: 'everything' }, 'cannot be understood'],
])('claims with %j are refused', async (more, sentence) => {
  const token = await sign({ ...claims, ...more });
  expect(sentenceOf(await rs256.verify(token, 'c'))).toContain(sentence);
});

test('what may differ: the audience is one of several, the clock by five seconds', async () => {
  for (const more of [
    { aud: ['other', 'broker'] },
    { exp: nowSeconds - 4 },
    { nbf: nowSeconds + 4 },
  ]) {
    expect(await rs256.verify(await sign({ ...claims, ...more }), 'c')).toMatchObject({
      userName: 'kitchen',
    });
  }
});

test('tampered, cut, oversize and malformed tokens are refused', async () => {
  const token = await sign(claims);
  const [head, body, signature] = token.split('.') as [string, string, string];
  const wrong = [
    `${head}.${part({ ...claims, sub: 'admin' })}.${signature}`,
    `${head}.${body}.`,
    `${head}.${body}.${signature.slice(0, -4)}`,
    `${head}.${body}.${signature}AAAA`,
    `${head}.${body}`,
    `${head}.${body}.${signature}.x`,
    `${head}..${signature}`,
    `${part('x')}.${body}.${signature}`,
    `${part(null)}.${body}.${signature}`,
    ' ',
    '..',
  ];
  for (const each of wrong) {
    expect(sentenceOf(await rs256.verify(each, 'c')), each).toBe('the token is not valid');
  }
  const large = await sign({ ...claims, padding: 'x'.repeat(20_000) });
  expect(sentenceOf(await rs256.verify(large, 'c'))).toBe('the token is too long');
});

test('the Client Identifier of a claim must be that of the client', async () => {
  const judge = await verifier(
    { publicKey: file('rsa.pem', rsaPem) },
    { clientIdentifierClaim: 'cid' },
  );
  const token = await sign({ ...claims, cid: ['one', 'two'] });
  expect(await judge.verify(token, 'two')).toMatchObject({ userName: 'kitchen' });
  expect(sentenceOf(await judge.verify(token, 'three'))).toContain('another Client Identifier');
  expect(sentenceOf(await judge.verify(await sign(claims), ''))).toContain('another Client');
});

test('a key set in a file: by key identifier, or the one that fits', async () => {
  const keys = [
    { ...(await exportJWK(otherRsa.publicKey)), kid: 'old' },
    { ...(await exportJWK(rsa.publicKey)), kid: 'new' },
    { ...(await exportJWK(ec.publicKey)), kid: 'ec' },
  ];
  const algorithms = ['RS256', 'ES256'];
  const judge = await verifier(
    { jwks: file('set.json', JSON.stringify({ keys })) },
    { algorithms },
  );
  const user = { userName: 'kitchen' };
  expect(
    await judge.verify(await sign(claims, rsa.privateKey, { alg: 'RS256', kid: 'new' }), 'c'),
  ).toMatchObject(user);
  expect(await judge.verify(await sign(claims), 'c')).toMatchObject(user);
  expect(
    await judge.verify(await sign(claims, ec.privateKey, { alg: 'ES256' }), 'c'),
  ).toMatchObject(user);
  for (const kid of ['old', 'ec', 'none']) {
    const token = await sign(claims, rsa.privateKey, { alg: 'RS256', kid });
    expect(sentenceOf(await judge.verify(token, 'c'))).toBe('the token is not valid');
  }
});

async function listening(server: Server): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
}

test('a key set by URL; one that cannot be had is our fault, and no guess', async () => {
  let status = 200;
  let asked = 0;
  const jwk = { ...(await exportJWK(rsa.publicKey)), kid: 'a' };
  const server = createServer((_, response) => {
    asked++;
    response.statusCode = status;
    response.end(JSON.stringify({ keys: [jwk] }));
  });
  await listening(server);
  const jwks = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const judge = await verifier({ jwks });
  const token = await sign(claims, rsa.privateKey, { alg: 'RS256', kid: 'a' });
  expect(await judge.verify(token, 'c')).toMatchObject({ userName: 'kitchen' });
  const unknown = await sign(claims, otherRsa.privateKey, { alg: 'RS256', kid: 'b' });
  for (let i = 0; i < 20; i++) {
    expect(await judge.verify(unknown, 'c')).toMatchObject({ isOurs: false });
  }
  expect(asked).toBeLessThan(3);
  status = 500;
  const failing = await verifier({ jwks });
  expect(await failing.verify(token, 'c')).toMatchObject({ isOurs: true });
  expect(
    await new JwtMethod(failing, undefined).judge(loginRequest({ password: token })),
  ).toMatchObject({
    reasonCode: 0x88,
    isGuess: false,
  });
});

test('of a key set that never ends no more than its limit is read, and it is told', async () => {
  let hasClosed = (): void => {};
  const closed = new Promise<void>((resolve) => {
    hasClosed = resolve;
  });
  const server = createServer((_, response) => {
    response.on('close', hasClosed);
    const send = (): void => {
      if (!response.destroyed) response.write(Buffer.alloc(65_536, ' '), send);
    };
    send();
  });
  await listening(server);
  const jwks = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const told: string[] = [];
  const none = { secret: undefined, publicKey: undefined };
  const keys = await readJwtKeys({ ...none, algorithms: ['RS256'], jwks }, (why) => told.push(why));
  const judge = new JwtVerifier(settings, keys as JWTVerifyGetKey, time);
  const token = await sign(claims, rsa.privateKey, { alg: 'RS256', kid: 'a' });
  expect(await judge.verify(token, 'c')).toMatchObject({ isOurs: true });
  await closed;
  expect(told).toEqual([expect.stringContaining('more than 1048576 bytes')]);
});

test('a token may be the password, or of a WebSocket the header or a cookie; the password first', async () => {
  const method = new JwtMethod(rs256, 'session');
  const token = await sign(claims);
  const shown = (request: { token?: string; cookies?: Record<string, string> }) => ({
    peer: { request: { url: '/', origin: undefined, cookies: {}, token: undefined, ...request } },
  });
  const accepted = { kind: 'accepted', identity: { userName: 'kitchen' } };
  expect(await method.judge(loginRequest({ user: 'any', password: token }))).toMatchObject(
    accepted,
  );
  expect(await method.judge(loginRequest(shown({ token })))).toMatchObject(accepted);
  expect(await method.judge(loginRequest(shown({ cookies: { session: token } })))).toMatchObject(
    accepted,
  );
  const others = [
    {},
    { password: 'a plain one' },
    { password: 'eyes.only' },
    { password: Uint8Array.of(0xff) },
    { password: 'plain', ...shown({ token }) },
    shown({ cookies: { other: token } }),
  ];
  for (const other of others) {
    expect(await method.judge(loginRequest(other))).toEqual({ kind: 'not-mine' });
  }
  expect(await method.judge(loginRequest({ password: `${token}x` }))).toMatchObject({
    kind: 'refused',
    reasonCode: 0x86,
    isGuess: true,
  });
});

test.each([
  [{ algorithms: ['HS256'] }, 'secret: HS256 cannot be verified without it'],
  [{ algorithms: ['HS256', 'HS512'], secret: SECRET }, 'need 64 or more'],
  [{ algorithms: ['RS256'] }, 'public_key: RS256 cannot be verified without it or jwks'],
  [{ algorithms: ['RS256'], secret: SECRET, jwks: 'https://a.example' }, 'none of them is among'],
  [
    { algorithms: ['HS256'], secret: SECRET, jwks: 'https://a.example' },
    'algorithms: there is none',
  ],
  [{ algorithms: ['RS256'], jwks: 'http://a.example/keys' }, 'must be https'],
  [{ algorithms: ['RS256'], jwks: join(folder, 'no') }, 'cannot be read (ENOENT'],
  [{ algorithms: ['RS256'], publicKey: join(folder, 'no') }, 'cannot be read (ENOENT'],
])('settings %j are told to be wrong', async (keys, sentence) => {
  const none = { secret: undefined, publicKey: undefined, jwks: undefined };
  const faults = await readJwtKeys({ ...none, ...keys });
  expect(faults).toEqual([expect.stringContaining(sentence)]);
});

test('files that are no public keys are told', async () => {
  const privatePem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const oct = JSON.stringify({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] });
  const cases: [Partial<JwtKeySettings>, string][] = [
    [{ publicKey: file('private.pem', privatePem) }, 'has a private key'],
    [{ publicKey: file('text.pem', 'hello') }, 'is no public key or certificate in PEM'],
    [{ publicKey: keyFile('weak.pem', weak.publicKey) }, 'has 1024 bits'],
    [{ publicKey: keyFile('ec.pem', ec.publicKey) }, 'RS256 cannot be verified by'],
    [{ jwks: file('oct.json', oct) }, 'has a secret or private key'],
    [{ jwks: file('bad.json', '{') }, 'is no JWK Set'],
    [{ jwks: file('worse.json', '{"keys":7}') }, 'is no JWK Set'],
  ];
  for (const [keys, sentence] of cases) {
    const none = { secret: undefined, publicKey: undefined, jwks: undefined };
    const faults = await readJwtKeys({ ...none, algorithms: ['RS256'], ...keys });
    expect(faults).toEqual([expect.stringContaining(sentence)]);
  }
});
