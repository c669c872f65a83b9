import type { BrokerUnderTest } from './broker.js';

const DEFAULT_PORT = 1883;

/** A broker that runs already; `pid` lets its memory be looked at where it is on this machine. */
export function externalBroker(address: string, pid: number | undefined): BrokerUnderTest {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url?.protocol !== 'mqtt:') {
    throw new Error(`--broker ${address}: expected mqtt://host or mqtt://host:port`);
  }
  return {
    kind: 'external',
    version: 'unknown',
    host: url.hostname,
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    pid,
    log: undefined,
    kill: undefined,
    restart: undefined,
    stop: () => Promise.resolve(),
  };
}
