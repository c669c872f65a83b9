import { type KeyObject, X509Certificate } from 'node:crypto';
import { stat } from 'node:fs/promises';
import {
  type KeyPair,
  readTlsMaterial,
  type TlsMaterial,
  TlsMaterialError,
} from '../../transport/tls-material.js';
import type { TlsOptions } from '../../transport/tls-options.js';
import { expiresSoon } from '../certificates/dates.js';
import { snakeCase } from '../config/vocabulary.js';
import type { Config } from '../config.js';
import type { Finding } from './finding.js';

const DAY_MS = 86_400_000;
const RSA_BITS_MIN = 2048;
const OTHERS_READ = 0o004;

/** Certificates, keys and lists of every listener: what cannot be used, and what soon cannot. */
export async function checkTls(config: Config): Promise<readonly Finding[]> {
  const parts = config.listen.map(async ({ tls }, i): Promise<Finding[]> => {
    return tls === undefined ? [] : checkFiles(tls, `listen[${i}].tls`);
  });
  return (await Promise.all(parts)).flat();
}

type Tell = (severity: Finding['severity'], key: string, sentence: string) => void;

async function checkFiles(tls: TlsOptions, place: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  const tell: Tell = (severity, key, sentence) => {
    findings.push({ severity, place: `${place}.${snakeCase(key)}`, sentence });
  };
  try {
    const material = await readTlsMaterial(tls);
    for (const { key, sentence } of material.warnings) tell('warning', key, sentence);
    const pairs = [...(material.own === undefined ? [] : [material.own]), ...material.named];
    for (const pair of pairs) judgePair(pair, tell);
    judgeAuthorities(material, tell);
    await judgeRevocationList(material, tell);
  } catch (error) {
    if (!(error instanceof TlsMaterialError)) throw error;
    for (const { key, sentence } of error.faults) tell('error', key, sentence);
  }
  await judgeRights(tls, tell);
  return findings;
}

function judgePair({ place, chain, names }: KeyPair, tell: Tell): void {
  const [own] = chain as [X509Certificate];
  judgeDates(own, place, tell);
  judgeKey(own.publicKey, place, tell);
  if (own.ca && chain.length === 1 && own.subject !== own.issuer) {
    tell('warning', place, 'it is the certificate of an authority: clients may not accept it');
  }
  if (own.subjectAltName === undefined) {
    const sentence = 'it has no Subject Alternative Name: clients look for the host name there';
    tell('warning', place, sentence);
  }
  for (const name of names) {
    const asked = name.replace(/^\*/, 'x');
    if (own.checkHost(asked) !== undefined) continue;
    tell('warning', place, `it is shown for ${name} and is not made out to it`);
  }
  chain.forEach((certificate, i) => {
    const next = chain[i + 1];
    if (i > 0) judgeDates(certificate, place, tell);
    if (next === undefined || certificate.checkIssued(next)) return;
    const sentence = `the chain is broken: number ${i + 2} in the file has not signed number ${i + 1}`;
    tell('warning', place, sentence);
  });
}

function judgeDates(certificate: X509Certificate, key: string, tell: Tell): void {
  const name = certificate.subject.replaceAll('\n', ', ');
  const toMs = Date.parse(certificate.validTo);
  if (toMs < Date.now()) {
    tell('error', key, `the certificate of ${name} has expired on ${certificate.validTo}`);
  } else if (Date.parse(certificate.validFrom) > Date.now()) {
    const from = certificate.validFrom;
    tell('error', key, `the certificate of ${name} is valid from ${from} on: is the clock right?`);
  } else if (expiresSoon(certificate, Date.now())) {
    const days = Math.floor((toMs - Date.now()) / DAY_MS);
    tell('warning', key, `the certificate of ${name} expires in ${days} days: renew it`);
  }
}

function judgeKey(key: KeyObject, place: string, tell: Tell): void {
  const { modulusLength } = key.asymmetricKeyDetails ?? {};
  if (modulusLength === undefined || modulusLength >= RSA_BITS_MIN) return;
  const advice = 'take 2048, or better ECDSA on P-256';
  tell('warning', place, `its RSA key has ${modulusLength} bits, which is weak: ${advice}`);
}

function judgeAuthorities({ ca }: TlsMaterial, tell: Tell): void {
  if (ca === undefined) return;
  const blocks =
    ca.toString('latin1').match(/-----BEGIN [^-]+-----[^-]+-----END [^-]+-----/g) ?? [];
  for (const block of blocks) {
    const authority = new X509Certificate(block);
    judgeDates(authority, 'ca', tell);
    if (authority.ca) continue;
    const name = authority.subject.replaceAll('\n', ', ');
    tell('warning', 'ca', `${name} is no authority: certificates signed by it are not accepted`);
  }
}

async function judgeRevocationList({ revocationList }: TlsMaterial, tell: Tell): Promise<void> {
  if (revocationList === undefined) return;
  const { PemConverter, X509Crl } = await import('@peculiar/x509');
  for (const bytes of PemConverter.decode(revocationList.toString('latin1'))) {
    const { nextUpdate } = new X509Crl(bytes);
    if (nextUpdate === undefined || nextUpdate.getTime() > Date.now()) continue;
    const sentence = `it is out of date since ${nextUpdate.toUTCString()}: no client certificate is accepted`;
    tell('error', 'revocationList', sentence);
  }
}

/** Whether every user of the machine reads what should be secret. */
async function judgeRights(tls: TlsOptions, tell: Tell): Promise<void> {
  const keys = tls.sni.map(({ key }, i) => [`sni[${i}].key`, key] as const);
  for (const [key, file] of [['key', tls.key], ['pskFile', tls.pskFile], ...keys] as const) {
    const found = file === undefined ? undefined : await stat(file).catch(() => undefined);
    if (found === undefined || (found.mode & OTHERS_READ) === 0) continue;
    tell('warning', key, `every user of this machine can read ${file}: chmod 640 ${file}`);
  }
}
