import type { X509Certificate } from 'node:crypto';

const DAY_MS = 86_400_000;
/** Time enough to find out why it was not renewed. */
const SOON_MS = 30 * DAY_MS;

/**
 * Whether a certificate has expired or does so within 30 days; of one that is short-lived by
 * intention, within the last third of its time.
 */
export function expiresSoon(certificate: X509Certificate, nowMs: number): boolean {
  const fromMs = Date.parse(certificate.validFrom);
  const toMs = Date.parse(certificate.validTo);
  return toMs - nowMs < Math.min(SOON_MS, (toMs - fromMs) / 3);
}
