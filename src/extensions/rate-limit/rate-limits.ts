import type { Clock, Timers } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import { shortKey } from '../../base/short-key.js';
import type { ConnectRefusal } from '../../broker/hooks.js';
import type { RateControl } from '../../broker/rate-control.js';
import type { Connection } from '../../session/connection.js';
import type { NetworkConnectionEvents } from '../../session/network-connection.js';
import type { Rate, Rates } from '../../session/rates.js';
import type { Statistics } from '../../session/statistics.js';
import { ReasonCode } from '../../wire/reason-code.js';
import { Buckets } from './buckets.js';
import { ConnectionMeter } from './connection-meter.js';
import { ExcessLog } from './excess-log.js';
import type { TokenBucket } from './token-bucket.js';

/** The listener of clients inside the process, which are not counted. */
const IN_PROCESS = 'local';

/** Whom a rate counts. */
export type Counted = 'client' | 'user' | 'address' | 'listener';

/** A bucket and who shares it. */
export interface SharedBucket {
  readonly counted: Counted;
  readonly name: string;
  readonly bucket: TokenBucket;
}

/** Connections, messages and bytes a second, for each client, user, address and listener. */
export class RateLimits implements RateControl {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly statistics: Statistics;
  readonly log: ExcessLog;
  readonly #buckets: Buckets;
  readonly #meters = new WeakMap<Connection, ConnectionMeter>();

  constructor(parts: {
    readonly clock: Clock;
    readonly timers: Timers;
    readonly statistics: Statistics;
    readonly log: Logger;
    readonly bucketsMax?: number;
  }) {
    this.clock = parts.clock;
    this.timers = parts.timers;
    this.statistics = parts.statistics;
    this.log = new ExcessLog(parts.log, parts.clock);
    this.#buckets = new Buckets(parts.bucketsMax);
  }

  meter(connection: Connection): NetworkConnectionEvents {
    const { rates } = connection.policy;
    if (rates === undefined || isInProcess(connection)) return connection;
    const meter = new ConnectionMeter(connection, rates, this);
    this.#meters.set(connection, meter);
    return meter;
  }

  message(connection: Connection): void {
    this.#meters.get(connection)?.message();
  }

  arrives(connection: Connection): ConnectRefusal | undefined {
    return this.#refusal(connection, ['address', 'listener']);
  }

  enters(connection: Connection): ConnectRefusal | undefined {
    const refusal = this.#refusal(connection, ['client', 'user']);
    if (refusal === undefined) this.#meters.get(connection)?.entered();
    return refusal;
  }

  /** Those of the buckets that exist for the connection. */
  bucketsOf(
    connection: Connection,
    what: keyof Rate,
    counted: readonly Counted[],
  ): readonly SharedBucket[] {
    const rates = connection.policy.rates!;
    return counted.flatMap((kind) => {
      const name = nameOf(connection, kind);
      if (name === undefined) return [];
      const key = `${kind} ${rates.scope} ${shortKey(name)}`;
      const bucket = this.#bucket(rates, kind, what, key);
      return bucket === undefined ? [] : [{ counted: kind, name, bucket }];
    });
  }

  #bucket(rates: Rates, kind: Counted, what: keyof Rate, key: string): TokenBucket | undefined {
    const { nowMs } = this.clock;
    return this.#buckets.get(key, what, rates[kind], rates.burstSeconds, nowMs);
  }

  #refusal(connection: Connection, counted: readonly Counted[]): ConnectRefusal | undefined {
    if (connection.policy.rates === undefined || isInProcess(connection)) return undefined;
    for (const { counted: kind, name, bucket } of this.bucketsOf(
      connection,
      'connections',
      counted,
    )) {
      if (bucket.tryTake(this.clock.nowMs)) continue;
      this.statistics.rateExceeded++;
      this.log.exceeded({ kind, name, what: 'connections', action: 'refused' });
      return {
        reasonCode: ReasonCode.ConnectionRateExceeded,
        reasonString: 'too many connections in a short time: try again later',
        isRepeated: true,
      };
    }
    return undefined;
  }
}

function isInProcess(connection: Connection): boolean {
  return connection.network.peer.listener === IN_PROCESS;
}

function nameOf(connection: Connection, counted: Counted): string | undefined {
  const { peer } = connection.network;
  switch (counted) {
    case 'client':
      return connection.clientIdentifier;
    case 'user':
      return connection.userName;
    case 'address':
      return peer.host;
    case 'listener':
      return peer.listener;
  }
}
