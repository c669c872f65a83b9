import { fitsPattern } from '../../base/wildcard.js';
import { urlOf } from '../../transport/listener.js';
import type { Config } from '../config.js';
import type { Finding } from './finding.js';

/** Rules of devices that mean nobody. */
export async function checkDevices({ devices, listen }: Config): Promise<readonly Finding[]> {
  // What systemd has opened has its URL when it is there.
  if (listen.some(({ url }) => url.systemdName !== undefined)) return [];
  const urls = listen.map(({ url }) => urlOf(url));
  return devices.flatMap(({ match }, i): Finding[] => {
    const { listener } = match;
    if (listener === undefined || urls.some((url) => fitsPattern(listener, url))) return [];
    const sentence = `there is no such listener, so the rule means nobody: there are ${urls.join(', ')}`;
    return [{ severity: 'warning', place: `devices[${i}].match.listener`, sentence }];
  });
}
