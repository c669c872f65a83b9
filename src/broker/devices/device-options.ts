import { fitsPattern } from '../../base/wildcard.js';
import type { Connection } from '../../session/connection.js';

/** What a rule says of the clients that match all it names; what it leaves out is as it was. */
export interface DeviceRule {
  readonly match: {
    /**
     * Patterns, in which `*` stands for any characters and `?` for one: of the URL of the listener,
     * of the User Name, of the Client Identifier.
     */
    readonly listener?: string | undefined;
    readonly user?: string | undefined;
    readonly client?: string | undefined;
  };
  readonly inFlightMax?: number | undefined;
  readonly packetBytesMax?: number | undefined;
  readonly paceBytesPerSecond?: number | undefined;
  readonly onePacketPerWrite?: boolean | undefined;
  /** 5.0: the client is told this Keep Alive. */
  readonly serverKeepAliveSeconds?: number | undefined;
  /** Closed after this long without a byte, also where Keep Alive is 0; 0 is never. */
  readonly idleSecondsMax?: number | undefined;
  /** In place of that for all devices. */
  readonly patienceSeconds?: number | undefined;
  /** These four are true where no rule says otherwise. */
  readonly stepDown?: boolean | undefined;
  readonly quarantine?: boolean | undefined;
  readonly takeOverDamping?: boolean | undefined;
  readonly stalledReaders?: boolean | undefined;
}

/** What holds for all devices. */
export interface DeviceCare {
  /** Where quarantined messages go: `{client}` and `{topic}` are filled in. */
  readonly deadLetterTopic: string;
  /** How long the last one of each topic is retained; 0 is not at all. */
  readonly deadLetterSeconds: number;
  /**
   * A message may stay unacknowledged so long while later ones are acknowledged; longer than the
   * longest job of a client that works on several at a time.
   */
  readonly patienceSeconds: number;
  /** What was learned about a device is forgotten after this long. */
  readonly learnedSeconds: number;
  /** Devices whose health is remembered. */
  readonly devicesMax: number;
  /** Whose health is published under `$SYS`: of clients that something stands out of, or of all. */
  readonly healthTopics: 'off' | 'troubled' | 'all';
}

/** How devices are treated that cannot say what they need. */
export interface DeviceOptions extends DeviceCare {
  /** The first rule that says something about a setting decides it. */
  readonly rules: readonly DeviceRule[];
}

const DAY_SECONDS = 86_400;

export const defaultDeviceCare: DeviceCare = {
  deadLetterTopic: '$dead-letter/{client}/{topic}',
  deadLetterSeconds: 7 * DAY_SECONDS,
  patienceSeconds: 900,
  learnedSeconds: 30 * DAY_SECONDS,
  devicesMax: 10_000,
  healthTopics: 'troubled',
};

export const defaultDeviceOptions: DeviceOptions = { ...defaultDeviceCare, rules: [] };

type Setting = Exclude<keyof DeviceRule, 'match'>;

/** Asked by setting: rules that do not speak of it cost nothing. */
export class DeviceRules {
  readonly #rules: readonly DeviceRule[];

  constructor(rules: readonly DeviceRule[]) {
    this.#rules = rules;
  }

  /** What the first rule that matches and has the setting says. */
  setting<S extends Setting>(connection: Connection, name: S): DeviceRule[S] {
    const { network, userName = '', clientIdentifier } = connection;
    for (const rule of this.#rules) {
      if (rule[name] === undefined) continue;
      const { listener, user, client } = rule.match;
      if (listener !== undefined && !fitsPattern(listener, network.peer.listener)) continue;
      if (user !== undefined && !fitsPattern(user, userName)) continue;
      if (client !== undefined && !fitsPattern(client, clientIdentifier)) continue;
      return rule[name];
    }
    return undefined;
  }
}
