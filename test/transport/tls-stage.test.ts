import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  checkServerIdentity,
  connect as connectTls,
  type TLSSocket,
} from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { networksOf } from '../../src/transport/networks.js';
import { proxyStage } from '../../src/transport/proxy-stage.js';
import { CertificateFolder, type PairFiles } from '../support/certificates.js';
import { CountingRelease } from './recorder.js';
import { PassThroughSocket, SecureListener } from './tls-fixture.js';

let files: CertificateFolder;
let server: PairFiles;
let device: PairFiles;
let trust: ConnectionOptions;

beforeAll(async () => {
  files = await CertificateFolder.create();
  server = await files.issue('server');
  device = await files.issue('pump-7', { usage: 'client', names: ['pump.example', '192.0.2.7'] });
  trust = { ca: files.caPem };
});
afterAll(() => files.remove());

function own(pair: PairFiles = server) {
  return { certificate: pair.certificate, key: pair.key };
}

function asDevice(pair: PairFiles): ConnectionOptions {
  return { ...trust, cert: readFileSync(pair.certificate), key: readFileSync(pair.key) };
}

async function exchange(secure: SecureListener, client: TLSSocket): Promise<void> {
  const served = await secure.broker.next();
  client.write(Uint8Array.of(1, 2, 3));
  await served.until(() => served.received.length === 3);
  expect(served.received).toEqual([1, 2, 3]);
  const answer: number[] = [];
  const whole = new Promise<void>((resolve) => {
    client.on('data', (chunk: Buffer) => {
      answer.push(...chunk);
      if (answer.length >= 2) resolve();
    });
  });
  served.network.write([Uint8Array.of(4), Uint8Array.of(5)], new CountingRelease());
  await whole;
  expect(answer).toEqual([4, 5]);
  client.removeAllListeners('data');
}

test.each([
  ['TLSv1.2', '1.2'],
  ['TLSv1.3', '1.3'],
] as const)('%s carries bytes both ways, ECDSA and forward secrecy', async (name, version) => {
  const secure = await SecureListener.open({ ...own(), versions: [version] });
  const client = await secure.enter(trust);
  expect(client.getProtocol()).toBe(name);
  expect(client.authorized).toBe(true);
  expect(client.getCipher().standardName).toMatch(
    version === '1.2' ? /^TLS_ECDHE_ECDSA_WITH_AES_128_GCM/ : /^TLS_AES_128_GCM/,
  );
  await exchange(secure, client);
});

test('a version that is not let in is refused in words', async () => {
  const secure = await SecureListener.open({ ...own(), versions: ['1.3'] });
  await expect(secure.enter({ ...trust, maxVersion: 'TLSv1.2' })).rejects.toThrow();
  await secure.until(() => secure.refusals.length === 1);
  expect(secure.refusals[0]!.reason).toContain('only versions of TLS that are not let in');
});

test.each([
  ['MQTT', Buffer.from('100c00044d5154540402003c0000', 'hex'), 'does not speak TLS'],
  ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'HTTP without TLS'],
])('a client that speaks plain %s is told of', async (_, bytes, sentence) => {
  const secure = await SecureListener.open(own());
  secure.raw().write(bytes);
  await secure.until(() => secure.refusals.length === 1);
  expect(secure.refusals[0]!.reason).toContain(sentence);
  expect(secure.broker.accepted).toEqual([]);
});

test('the name asked for chooses the certificate', async () => {
  const [plain, star] = [await files.issue('plain'), await files.issue('star')];
  const secure = await SecureListener.open({
    ...own(),
    sni: [
      { names: ['plain.example'], certificate: plain.certificate, key: plain.key },
      { names: ['*.star.example'], certificate: star.certificate, key: star.key },
    ],
  });
  const shown = async (servername: string): Promise<unknown> => {
    const client = await secure.enter({
      ...trust,
      servername,
      checkServerIdentity: () => undefined,
    });
    return client.getPeerCertificate().subject.CN;
  };
  expect(await shown('plain.example')).toBe('plain');
  expect(await shown('PLAIN.example')).toBe('plain');
  expect(await shown('a.star.example')).toBe('star');
  expect(await shown('a.b.star.example')).toBe('server');
  expect(await shown('star.example')).toBe('server');
  expect(await shown('other.example')).toBe('server');
  expect(await shown('')).toBe('server');
});

const asked = (more: object = {}) => ({
  ...own(),
  ca: files.ca,
  clientCertificate: 'required' as const,
  ...more,
});

test.each([
  ['cn', 'pump-7'],
  ['san', 'pump.example'],
] as const)('a client certificate gives the user name by %s', async (userNameFrom, userName) => {
  const secure = await SecureListener.open(asked({ userNameFrom }));
  const client = await secure.enter(asDevice(device));
  await exchange(secure, client);
  const { certificate } = secure.broker.accepted[0]!.network.peer;
  expect(certificate).toMatchObject({ commonName: 'pump-7', subject: 'CN=pump-7', userName });
  expect(certificate!.subjectAltNames).toEqual(['pump.example', '192.0.2.7']);
  expect(certificate!.fingerprint256).toMatch(/^[0-9a-f]{64}$/);
});

test.each(['1.2', '1.3'] as const)('TLS %s: none is refused where one is required', async (v) => {
  const secure = await SecureListener.open(asked({ versions: [v] }));
  const client = secure.connect(trust);
  const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toMatch(/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE/);
  await secure.until(() => secure.refusals.length === 1);
  expect(secure.refusals[0]!.reason).toBe('the client has shown no certificate');
  expect(secure.broker.accepted).toEqual([]);
});

test.each(['required', 'optional'] as const)('a foreign one is refused, %s', async (asks) => {
  const foreign = await CertificateFolder.create();
  const stranger = await foreign.issue('stranger', { usage: 'client' });
  foreign.write('all.pem', readFileSync(stranger.certificate, 'utf8'));
  const secure = await SecureListener.open(asked({ clientCertificate: asks }));
  secure.connect(asDevice(stranger));
  await secure.until(() => secure.refusals.length === 1);
  expect(secure.refusals[0]!.reason).toBe("the client's certificate is of an unknown authority");
  expect(secure.broker.accepted).toEqual([]);
  foreign.remove();
});

test('where it is optional, one without is let in', async () => {
  const secure = await SecureListener.open(asked({ clientCertificate: 'optional' }));
  await exchange(secure, await secure.enter(trust));
  expect(secure.broker.accepted[0]!.network.peer.certificate).toBeUndefined();
});

test('an expired one and a revoked one are refused in words', async () => {
  const old = await files.issue('old', {
    usage: 'client',
    days: 1,
    nowMs: Date.now() - 172_800_000,
  });
  const lost = await files.issue('lost', { usage: 'client' });
  const secure = await SecureListener.open(asked({ revocationList: await files.revoke(lost.pem) }));
  secure.connect(asDevice(old));
  await secure.until(() => secure.refusals.length === 1);
  expect(secure.refusals[0]!.reason).toBe("the client's certificate has expired");
  secure.connect(asDevice(lost));
  await secure.until(() => secure.refusals.length === 2);
  expect(secure.refusals[1]!.reason).toBe("the client's certificate is revoked");
  await exchange(secure, await secure.enter(asDevice(device)));
});

const pskClient = (identity: string, key: string, more: ConnectionOptions = {}) => ({
  ciphers: 'PSK:TLS_AES_128_GCM_SHA256',
  pskCallback: () => ({ identity, psk: Buffer.from(key, 'hex') }),
  checkServerIdentity: () => undefined,
  ...more,
});
const KEY = '00112233445566778899aabbccddeeff';

test.each(['TLSv1.2', 'TLSv1.3'] as const)('a pre-shared key lets in, %s', async (version) => {
  const pskFile = files.write('psk', `# devices\nmote:1:${KEY}\n`);
  const secure = await SecureListener.open({ pskFile, pskHint: 'dunlin' });
  const only = { minVersion: version, maxVersion: version };
  const client = await secure.enter(pskClient('mote:1', KEY, only));
  await exchange(secure, client);
  expect(secure.broker.accepted[0]!.network.peer.pskIdentity).toBe('mote:1');
  await expect(secure.enter(pskClient('mote:2', KEY, only))).rejects.toThrow();
  await expect(secure.enter(pskClient('mote:1', `ff${KEY}`, only))).rejects.toThrow();
  await secure.until(() => secure.refusals.length === 2);
  expect(secure.broker.accepted.length).toBe(1);
});

test('certificates and pre-shared keys go together on one listener', async () => {
  const pskFile = files.write('both.psk', `mote:${KEY}\n`);
  const secure = await SecureListener.open({ ...asked(), pskFile });
  await exchange(secure, await secure.enter(pskClient('mote', KEY, { maxVersion: 'TLSv1.2' })));
  expect(secure.broker.accepted[0]!.network.peer.pskIdentity).toBe('mote');
  await exchange(secure, await secure.enter(asDevice(device)));
  expect(secure.broker.accepted[1]!.network.peer).toMatchObject({
    certificate: { commonName: 'pump-7' },
  });
  expect(secure.broker.accepted[1]!.network.peer.pskIdentity).toBeUndefined();
});

test.each(['none', 'optional', 'required'] as const)(
  'naming an identity is not having its key, with certificates: %s',
  async (clientCertificate) => {
    const pskFile = files.write('named.psk', `mote:${KEY}\n`);
    const secure = await SecureListener.open({ ...asked({ clientCertificate }), pskFile });
    // No suite of SHA-256, which pre-shared keys need: the handshake goes on by the certificate.
    const others = { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_256_GCM_SHA384' } as const;
    for (const key of ['ff'.repeat(16), KEY]) {
      const named = pskClient('mote', key, { ...others, ...trust });
      if (clientCertificate === 'required') {
        secure.refusals.length = 0;
        secure.connect(named);
        await secure.until(() => secure.refusals.length > 0);
        expect(secure.refusals[0]!.reason).toBe('the client has shown no certificate');
        continue;
      }
      const first = await secure.enter(named);
      await exchange(secure, first);
      expect(secure.broker.accepted.at(-1)!.network.peer.pskIdentity).toBeUndefined();
      // Nor does a session, which counts as a key in TLS 1.3, stand for one.
      const session = first.getSession();
      if (session === undefined) throw new Error('no session');
      const again = await secure.enter({ ...named, session });
      await exchange(secure, again);
      expect(again.isSessionReused()).toBe(false);
      expect(secure.broker.accepted.at(-1)!.network.peer.pskIdentity).toBeUndefined();
    }
    if (clientCertificate === 'required') expect(secure.broker.accepted).toEqual([]);
    const right = await secure.enter(pskClient('mote', KEY, { minVersion: 'TLSv1.3' }));
    await exchange(secure, right);
    expect(secure.broker.accepted.at(-1)!.network.peer.pskIdentity).toBe('mote');
  },
);

test('a listener without pre-shared keys has no suites for them', async () => {
  const secure = await SecureListener.open(own());
  await expect(secure.enter(pskClient('mote', KEY, { maxVersion: 'TLSv1.2' }))).rejects.toThrow();
  await secure.until(() => secure.refusals.length === 1);
  expect(secure.refusals[0]!.reason).toContain('no cipher suite in common');
});

/** Lengths of the TLS records of application data, as they come through the wire. */
function recordLengths(bytes: Buffer): number[] {
  const lengths: number[] = [];
  for (let at = 0; at + 5 <= bytes.length; at += 5 + bytes.readUInt16BE(at + 3)) {
    if (bytes[at] === 23) lengths.push(bytes.readUInt16BE(at + 3));
  }
  return lengths;
}

test.each([512, 4096])('records are no longer than %d bytes', async (recordBytesMax) => {
  const secure = await SecureListener.open({ ...own(), recordBytesMax, versions: ['1.2'] });
  const wire: Buffer[] = [];
  const raw = secure.raw();
  const tapped = new PassThroughSocket(raw, (chunk) => wire.push(chunk));
  const client = await secure.enter({ ...trust, socket: tapped });
  const served = await secure.broker.next();
  let count = 0;
  const whole = new Promise<void>((resolve) => {
    client.on('data', (chunk: Buffer) => {
      count += chunk.length;
      if (count === 20_000) resolve();
    });
  });
  served.network.write([new Uint8Array(20_000)], new CountingRelease());
  await whole;
  const lengths = recordLengths(Buffer.concat(wire));
  // Nonce and tag of AES-GCM stand around the data.
  const largest = Math.max(...lengths) - 24;
  expect(largest).toBe(recordBytesMax);
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)('a session is resumed, %s', async (version) => {
  const secure = await SecureListener.open(asked());
  const options = { ...asDevice(device), maxVersion: version };
  const sessions: Buffer[] = [];
  const first = secure.connect(options);
  first.on('session', (session: Buffer) => sessions.push(session));
  await once(first, 'secureConnect');
  await exchange(secure, first);
  while (sessions.length === 0) await once(first, 'session');
  const session = sessions[0]!;
  const again = await secure.enter({ ...options, session });
  expect(again.isSessionReused()).toBe(true);
  await exchange(secure, again);
  expect(secure.broker.accepted[1]!.network.peer.certificate?.commonName).toBe('pump-7');
  // Another certificate for the listener changes nothing in that.
  await files.issue('server');
  await secure.until(() => secure.reloads === 1);
  const later = await secure.enter({ ...options, session });
  expect(later.isSessionReused()).toBe(true);
});

test('a session is not resumed once its certificate was revoked', async () => {
  const thief = await files.issue('thief', { usage: 'client' });
  const revocationList = await files.revoke();
  const secure = await SecureListener.open(asked({ revocationList, versions: ['1.2'] }));
  const first = secure.connect(asDevice(thief));
  const [session] = (await once(first, 'session')) as [Buffer];
  await files.revoke(thief.pem);
  await secure.until(() => secure.reloads === 1);
  secure.connect({ ...asDevice(thief), session });
  await secure.until(() => secure.refusals.length === 1);
  expect(secure.refusals[0]!.reason).toBe("the client's certificate is revoked");
});

test('a new certificate is for new connections; a bad one changes nothing', async () => {
  const pair = await files.issue('renewed');
  const secure = await SecureListener.open(own(pair));
  const shown = (client: TLSSocket) => client.getPeerCertificate().serialNumber;
  const early = await secure.enter(trust);
  const renewed = await files.issue('renewed');
  await secure.until(() => secure.reloads === 1);
  const late = await secure.enter(trust);
  expect(shown(late)).not.toBe(shown(early));
  expect(secure.tls.material.own?.chain[0]?.toString()).toBe(
    secure.tls.material.own?.certificate.toString(),
  );
  expect(readFileSync(renewed.certificate, 'utf8')).toBe(renewed.pem);
  await exchange(secure, early);
  const other = await files.issue('other');
  files.write('renewed.key', readFileSync(other.key, 'utf8'));
  await secure.until(() => secure.faults.length === 1);
  expect(secure.faults[0]!.key).toBe('key');
  expect(secure.faults[0]!.sentence).toContain('is not the private key of the certificate in');
  expect(shown(await secure.enter(trust))).toBe(shown(late));
  await exchange(secure, late);
});

test('a header of a proxy stands before the handshake, cut anywhere', async () => {
  const proxy = proxyStage({
    trusted: networksOf(['127.0.0.1'])!,
    headerMsMax: 10_000,
    onRefused: () => {},
  });
  const secure = await SecureListener.open(own(), [proxy]);
  const header = Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.9 4711 8883\r\n');
  for (const cut of [1, 20, header.length - 1, header.length]) {
    const raw = secure.raw();
    raw.write(header.subarray(0, cut));
    await new Promise((resolve) => setImmediate(resolve));
    raw.write(header.subarray(cut));
    const client = await secure.enter({ ...trust, socket: raw, checkServerIdentity });
    await exchange(secure, client);
    expect(secure.broker.accepted.at(-1)!.network.peer.address).toBe('192.0.2.1:4711');
  }
});

test('a handshake that stands still ends in time', async () => {
  const secure = await SecureListener.open({ ...own(), handshakeSecondsMax: 0.001 });
  const silent = secure.raw();
  await once(silent, 'close');
  expect(secure.refusals).toEqual([]);
  const patient = await SecureListener.open({ ...own(), handshakeSecondsMax: 0.5 });
  // Its bytes have to be there before the end, which nobody can promise: another one follows.
  while (patient.refusals.length === 0) {
    const slow = patient.raw();
    slow.write(Buffer.from('1603010200', 'hex'));
    await once(slow, 'close');
  }
  expect(patient.refusals[0]!.reason).toBe('the TLS handshake was not done in time');
  expect(patient.refusals[0]!.peer.host).toBe('127.0.0.1');
});

/** The first bytes of a client that then says nothing more. */
async function clientHello(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connectTls({ port, host: '127.0.0.1' });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}

test('a storm of half handshakes keeps nobody out', async () => {
  // More are begun in a second than most machines can do: only who has most makes room.
  const secure = await SecureListener.open({
    ...own(),
    handshakesMax: 20,
    handshakesPerSecondMax: 1_000_000,
    handshakeSecondsMax: 3600,
  });
  const early = await secure.enter(trust);
  await exchange(secure, early);
  const hello = await clientHello();
  // A device that takes its time, longer than all of the storm.
  const wire = secure.raw({ localAddress: '127.0.0.3' });
  const slowly = secure.enter({ ...trust, socket: new PassThroughSocket(wire, () => {}) });
  wire.pause();
  const storm = Array.from({ length: 400 }, () => secure.raw());
  for (const socket of storm) {
    socket.write(hello);
    socket.resume();
  }
  const tooLong = () => secure.refusals.filter(({ reason }) => reason.includes('others were'));
  await secure.until(() => tooLong().length >= 380);
  early.write(Uint8Array.of(9));
  const [served] = secure.broker.accepted;
  await served!.until(() => served!.received.includes(9));
  wire.resume();
  await exchange(secure, await slowly);
  await exchange(secure, await secure.enter({ ...trust, localAddress: '127.0.0.4' }));
  expect(served!.causes).toEqual([]);
  expect(new Set(secure.refusals.map(({ peer }) => peer.host))).toEqual(new Set(['127.0.0.1']));
  for (const socket of storm) socket.destroy();
});

test('who is in the middle of a handshake does not hold up the end', async () => {
  const secure = await SecureListener.open(own());
  const silent = secure.raw();
  const inside = await secure.enter(trust);
  const half = secure.raw();
  half.write(await clientHello());
  await once(half, 'data');
  const ended = [once(silent, 'close'), once(half, 'close')];
  await secure.listener.stopAccepting();
  await Promise.all(ended);
  expect(secure.listener.connections).toBe(1);
  await exchange(secure, inside);
});
