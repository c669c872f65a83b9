import type {
  DetailedPeerCertificate,
  PeerCertificate as NodeCertificate,
  TLSSocket,
} from 'node:tls';
import type { PeerCertificate } from '../session/network-connection.js';

export type UserNameSource = 'cn' | 'san' | 'fingerprint' | undefined;

/** The client's certificate; undefined where it has shown none. */
export function certificateFacts(
  socket: TLSSocket,
  userNameFrom: UserNameSource,
): PeerCertificate | undefined {
  const found: NodeCertificate | DetailedPeerCertificate = socket.getPeerCertificate();
  // Node has an empty object for none.
  if (found?.fingerprint256 === undefined) return undefined;
  const facts = {
    commonName: firstOf(found.subject?.CN),
    subjectAltNames: namesOf(found.subjectaltname ?? ''),
    fingerprint256: found.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: subjectLine(found.subject),
  };
  return { ...facts, userName: userNameOf(facts, userNameFrom) };
}

/** Whether the certificate is of an earlier time; a resumed session does not ask for that. */
export function hasExpired(socket: TLSSocket): boolean {
  const { valid_to: end } = socket.getPeerCertificate();
  return end !== undefined && Date.parse(end) < Date.now();
}

function userNameOf(
  facts: Omit<PeerCertificate, 'userName'>,
  from: UserNameSource,
): string | undefined {
  switch (from) {
    case 'cn':
      return facts.commonName;
    case 'san':
      return facts.subjectAltNames[0];
    case 'fingerprint':
      return facts.fingerprint256;
    case undefined:
      return undefined;
  }
}

function firstOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.[0];
}

function subjectLine(subject: object | undefined): string {
  const parts = Object.entries(subject ?? {}) as [string, string | string[]][];
  return parts.flatMap(([name, value]) => [value].flat().map((one) => `${name}=${one}`)).join(', ');
}

/** From `DNS:pump.example, IP Address:192.0.2.1`; a value with a comma in it is in quotes. */
export function namesOf(text: string): string[] {
  const entries = text.matchAll(/[^:,\s][^:,]*:("(?:[^"\\]|\\.)*"|[^,]*)/g);
  return [...entries].map(([, value]) =>
    value!.startsWith('"') ? (JSON.parse(value!) as string) : value!,
  );
}
