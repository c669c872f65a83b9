import { createPrivateKey, X509Certificate } from 'node:crypto';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import {
  createAuthority,
  issueCertificate,
  revocationList,
  serialNumberOf,
} from '../../../src/server/certificates/authority.js';

const nowMs = Date.now();
const DAY_MS = 86_400_000;

test('a server certificate that TLS believes, by name and by address', async () => {
  const authority = await createAuthority({ commonName: 'Dunlin of home', days: 3650, nowMs });
  const pair = await issueCertificate(authority, {
    commonName: 'broker.home',
    names: ['broker.home', '127.0.0.1', '::1'],
    usage: 'server',
    days: 365,
    nowMs,
  });
  const certificate = new X509Certificate(pair.certificate);
  expect(certificate.checkIssued(new X509Certificate(authority.certificate))).toBe(true);
  expect(certificate.verify(new X509Certificate(authority.certificate).publicKey)).toBe(true);
  expect(certificate.checkPrivateKey(createPrivateKey(pair.privateKey))).toBe(true);
  expect(certificate.checkHost('broker.home')).toBe('broker.home');
  expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(Date.parse(certificate.validTo) - nowMs).toBeGreaterThan(364 * DAY_MS);
  const server = createServer({ cert: pair.certificate, key: pair.privateKey });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const socket = connect({ port, host: '127.0.0.1', ca: authority.certificate });
  await new Promise((resolve, reject) => {
    socket.once('secureConnect', resolve).once('error', reject);
  });
  expect(socket.authorized).toBe(true);
  socket.destroy();
  server.close();
});

test('a client certificate is let in until it is revoked', async () => {
  const authority = await createAuthority({ commonName: 'Dunlin of home', days: 10, nowMs });
  const issue = (commonName: string, usage: 'client' | 'server') =>
    issueCertificate(authority, { commonName, names: ['127.0.0.1'], usage, days: 5, nowMs });
  const [own, device] = [await issue('broker', 'server'), await issue('device-7', 'client')];
  const handshake = async (crl: string): Promise<string> => {
    const server = createServer({
      cert: own.certificate,
      key: own.privateKey,
      ca: authority.certificate,
      requestCert: true,
      rejectUnauthorized: false,
      crl,
    });
    server.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const answer = new Promise<string>((resolve) => {
      server.once('secureConnection', (socket: TLSSocket) => {
        const { subject } = socket.getPeerCertificate();
        resolve(String(socket.authorized ? subject.CN : socket.authorizationError));
      });
    });
    const { port } = server.address() as { port: number };
    const { certificate: cert, privateKey: key } = device;
    const socket = connect({ port, host: '127.0.0.1', ca: authority.certificate, cert, key });
    socket.on('error', () => {});
    const result = await answer;
    socket.destroy();
    server.close();
    return result;
  };
  expect(await handshake(await revocationList(authority, [], nowMs))).toBe('device-7');
  const revoked = await revocationList(authority, [serialNumberOf(device.certificate)], nowMs);
  expect(await handshake(revoked)).toContain('REVOKED');
});
