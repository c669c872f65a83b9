import type { Logger } from '../../base/log.js';
import type { AcmeConfig } from '../config/acme.js';
import { isDue, orderCertificate } from './acme-certificate.js';

const LOOK_EVERY_MS = 12 * 3_600_000;

/**
 * Orders the certificate if it is due, and looks again twice a day. With a certificate there that
 * can still be used, a failure is only logged: there are weeks left to mend it.
 */
export async function keepCertificate(config: AcmeConfig, log: Logger): Promise<void> {
  const renew = async (): Promise<void> => {
    if (!(await isDue(config, Date.now()))) return;
    await orderCertificate(config);
    const names = config.names.join(', ');
    log.info({ event: 'certificate_ordered', names }, `There is a new certificate for ${names}`);
  };
  const failed = (error: unknown): void => {
    const reason = error instanceof Error ? error.message : String(error);
    log.error(
      { event: 'certificate_order_failed', reason },
      `No certificate for ${config.names.join(', ')} could be had: ${reason}. It is tried again ` +
        `in twelve hours; ${config.directoryUrl} must reach port ${config.httpPort} of this ` +
        'machine by each of these names',
    );
  };
  await renew().catch(failed);
  setInterval(() => void renew().catch(failed), LOOK_EVERY_MS).unref();
}
