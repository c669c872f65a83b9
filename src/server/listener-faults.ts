import type { ListenConfig } from './config.js';
import { isLocal, isSecure } from './listen-url.js';

/** A key of a listener that does not fit its URL, and why. */
export interface ListenerFault {
  /** Behind `listen[0].`. */
  readonly key: string;
  readonly sentence: string;
}

/** What contradicts itself in the settings of one listener, without a look at any file. */
export function listenerFaults(listen: ListenConfig): ListenerFault[] {
  const { url, tls, proxyProtocol, trustedProxies, socketMode, origins, statusPage } = listen;
  const isWeb = url.scheme === 'ws' || url.scheme === 'wss';
  const faults: ListenerFault[] = [];
  const fault = (key: string, sentence: string): number => faults.push({ key, sentence });
  if (isSecure(url) && tls === undefined) {
    fault('tls', `is missing: ${url.scheme} needs a certificate and its key, or a psk_file`);
  }
  if (!isSecure(url) && tls !== undefined) {
    const secure = url.scheme === 'ws' ? 'wss' : 'mqtts';
    fault('tls', `is for ${secure} alone: write ${secure} in the URL, or leave tls out`);
  }
  if (!isWeb && trustedProxies.length > 0) {
    const instead = 'proxy_protocol is what there is for MQTT';
    fault('trusted_proxies', `is for ws and wss alone, which have X-Forwarded-For: ${instead}`);
  }
  if (!isWeb && origins !== undefined) fault('origins', 'is for ws and wss alone');
  if (statusPage && !isWeb) fault('status_page', 'is for ws and wss alone');
  else if (statusPage && !isSecure(url) && !isLocal(url)) {
    const instead = 'use wss, or ws on 127.0.0.1';
    fault('status_page', `would let passwords cross the network in clear text: ${instead}`);
  }
  if (url.socketFile === undefined && socketMode !== undefined) {
    fault('socket_mode', 'is for unix: alone');
  }
  if (proxyProtocol !== undefined && trustedProxies.length > 0) {
    fault('trusted_proxies', 'and proxy_protocol both name the client: leave out one of them');
  }
  return faults;
}
