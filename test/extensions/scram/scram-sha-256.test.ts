import { beforeAll, expect, test } from 'vitest';
import type { AuthenticationStep, Entry } from '../../../src/broker/authentication.js';
import type { ClientView } from '../../../src/broker/hooks.js';
import {
  type ScramCredentials,
  scramCredentials,
} from '../../../src/extensions/scram/credentials.js';
import { scramSha256 } from '../../../src/extensions/scram/scram-sha-256.js';
import { defaultListenerPolicy } from '../../../src/session/limits.js';
import { ReasonCode } from '../../../src/wire/reason-code.js';
import { ScramClient } from './scram-client.js';

const client: ClientView = {
  clientIdentifier: 'c',
  userName: undefined,
  protocolVersion: 5,
  address: '192.0.2.1:5000',
  listener: 'mqtts://192.0.2.2:8883',
};
const entry: Entry = {
  peer: { address: client.address, host: '192.0.2.1', listener: client.listener },
  policy: defaultListenerPolicy,
  isGone: () => false,
  whenGone: () => {},
};
const NONCE = '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';

/** The bytes that make the server's nonce of RFC 7677. */
function vectorBytes(count: number): Uint8Array {
  const codes = [...NONCE].map((character) => character.charCodeAt(0));
  return Uint8Array.from(codes.slice(0, count), (code) => code - 0x21 - (code > 0x2c ? 1 : 0));
}

const users = new Map<string, ScramCredentials>();
const asked: string[] = [];

beforeAll(async () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
  users.set('user', await scramCredentials('pencil', { salt, iterations: 4096 }));
  users.set('a,b=c', await scramCredentials('pencil', { iterations: 4096 }));
});

const method = scramSha256({
  credentials: (userName) => {
    asked.push(userName);
    return users.get(userName);
  },
  random: vectorBytes,
  secret: Buffer.from('a secret for tests'),
  iterations: 4096,
});

type Exchange = (text: string | Uint8Array) => Promise<AuthenticationStep>;

function begin(): Exchange {
  const exchange = method.begin(client, entry);
  return async (text) => exchange.step(typeof text === 'string' ? Buffer.from(text) : text);
}

function textOf(step: AuthenticationStep): string {
  if (step.kind === 'refusal') throw new Error(step.sentence);
  return Buffer.from(step.data!).toString();
}

async function refusal(step: Promise<AuthenticationStep>): Promise<string> {
  const settled = await step;
  expect(settled).toMatchObject({ kind: 'refusal', reasonCode: ReasonCode.NotAuthorized });
  return settled.kind === 'refusal' ? settled.sentence : '';
}

test('the exchange of RFC 7677', async () => {
  const say = begin();
  const challenge = await say('n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
  expect(challenge.kind).toBe('challenge');
  expect(textOf(challenge)).toBe(
    `r=rOprNGfwEbeRWgbNEkqO${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
  );
  const end = await say(
    `c=biws,r=rOprNGfwEbeRWgbNEkqO${NONCE},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
  );
  expect(end).toMatchObject({ kind: 'success', userName: 'user' });
  expect(textOf(end)).toBe('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
});

test.each([
  ['no channel binding', 'user', 'n,,'],
  ['a client that could bind', 'user', 'y,,'],
  ['the user as identity', 'user', 'n,a=user,'],
  ['a name with a comma and an equals sign', 'a=2Cb=3Dc', 'n,,'],
])('lets in: %s', async (_, name, header) => {
  const scram = new ScramClient(name, 'pencil', 'nonce', header);
  const say = begin();
  const challenge = await say(scram.first());
  const end = await say(scram.final(Buffer.from(textOf(challenge))));
  expect(end.kind).toBe('success');
  expect(textOf(end)).toBe(scram.serverFinal);
});

test('further attributes are ignored, and are part of what is proven', async () => {
  const say = begin();
  const challenge = textOf(await say('n,,n=user,r=nonce,x=more'));
  const scram = new ScramClient('user', 'pencil', 'nonce,x=more');
  expect((await say(scram.final(Buffer.from(challenge)))).kind).toBe('success');
});

test.each([
  ['nothing', ''],
  ['no SCRAM', 'user\0pencil'],
  ['channel binding', 'p=tls-unique,,n=user,r=nonce'],
  ['a mandatory extension', 'n,,m=x,n=user,r=nonce'],
  ['another identity', 'n,a=admin,n=user,r=nonce'],
  ['no user name', 'n,,n=,r=nonce'],
  ['no nonce', 'n,,n=user'],
  ['an empty nonce', 'n,,n=user,r='],
  ['a space in the nonce', 'n,,n=user,r=no nce'],
  ['a wrong escape', 'n,,n=us=2cer,r=nonce'],
  ['a bare equals sign', 'n,,n=us=er,r=nonce'],
  ['a control character', 'n,,n=us\u0007er,r=nonce'],
  ['bytes that are no UTF-8', Uint8Array.of(0x6e, 0x2c, 0x2c, 0xff)],
])('refuses a first message with %s, and asks for nobody', async (_, message) => {
  asked.length = 0;
  await refusal(begin()(message));
  expect(asked).toEqual([]);
});

test('no first message at all', async () => {
  await refusal(Promise.resolve(method.begin(client, entry).step(undefined)));
});

test('an unknown user and a wrong password look the same', async () => {
  const wrong = new ScramClient('user', 'pen', 'nonce');
  const unknown = new ScramClient('nobody', 'pencil', 'nonce');
  const sentences: string[] = [];
  for (const scram of [wrong, unknown]) {
    const say = begin();
    const challenge = textOf(await say(scram.first()));
    expect(challenge).toMatch(/^r=nonce[^,]{30},s=[A-Za-z0-9+/]{22}==,i=4096$/);
    sentences.push(await refusal(say(scram.final(Buffer.from(challenge)))));
  }
  expect(sentences[0]).toBe(sentences[1]);
});

test('the salt of an unknown user is its own, and always the same', async () => {
  const saltOf = async (name: string): Promise<string> =>
    /s=([^,]+)/.exec(textOf(await begin()(`n,,n=${name},r=x`)))![1]!;
  expect(await saltOf('nobody')).toBe(await saltOf('nobody'));
  expect(await saltOf('nobody')).not.toBe(await saltOf('no-one'));
});

test.each([
  ['another nonce', (text: string) => text.replace('r=nonce', 'r=other')],
  ['the nonce of the client alone', (text: string) => text.replace(NONCE, '')],
  ['another channel binding', (text: string) => text.replace('c=biws', 'c=eSws')],
  ['no proof', (text: string) => text.replace(/,p=.*/, '')],
  ['an empty proof', (text: string) => text.replace(/,p=.*/, ',p=')],
  ['a short proof', (text: string) => text.replace(/,p=.*/, ',p=AAAA')],
  ['a proof that is no Base64', (text: string) => text.replace(/,p=./, ',p=*')],
  ['something behind the proof', (text: string) => `${text},x=y`],
])('refuses a final message with %s', async (_, change) => {
  const scram = new ScramClient('user', 'pencil', 'nonce');
  const say = begin();
  const final = scram.final(Buffer.from(textOf(await say(scram.first()))));
  await refusal(say(change(Buffer.from(final).toString())));
});

test.each([
  ['another nonce', { nonce: `other${NONCE}` }, 'nonce'],
  ['another channel binding', { header: 'y,,' }, 'channel binding'],
])('refuses a proof of %s', async (_, lie, word) => {
  const scram = new ScramClient('user', 'pencil', 'nonce');
  const say = begin();
  const challenge = Buffer.from(textOf(await say(scram.first())));
  expect(await refusal(say(scram.final(challenge, lie)))).toContain(word);
});
