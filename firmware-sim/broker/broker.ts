import type { Dial } from '../link/line.js';

export type BrokerKindName = 'dunlin' | 'mosquitto' | 'aedes';

export interface BrokerStartOptions {
  /** What it has acknowledged outlives `kill` and `restart`. */
  readonly persistent: boolean;
  /** A configuration file of that broker's own kind, instead of what the simulation gives it. */
  readonly configFile: string | undefined;
}

/** A broker under test, started here or found. */
export interface BrokerUnderTest {
  readonly kind: BrokerKindName | 'external';
  readonly version: string;
  readonly host: string;
  readonly port: number;
  /** How it is reached from an address of 127.0.0.0/8, where that is not by TCP. */
  readonly dialFrom?: (localAddress: string) => Dial;
  /** Undefined when it is not a process of this machine that is known. */
  readonly pid: number | undefined;
  /** Lines of its log so far; undefined when nobody can read them. */
  readonly log: readonly string[] | undefined;
  /** As by a power cut; undefined for a broker that was not started here. */
  readonly kill: (() => Promise<void>) | undefined;
  /** After `kill`: the same data on the same port. */
  readonly restart: (() => Promise<void>) | undefined;
  stop(): Promise<void>;
}
