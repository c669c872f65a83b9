import { describe, test } from 'vitest';
import { CaseClient } from './case-client.js';
import type { Harness, HarnessFactory, Setup } from './harness.js';
import type { Captures, Version } from './hex-pattern.js';
import type { Fields } from './packet.js';
import { simulated } from './simulated-harness.js';
import { overSockets } from './socket-harness.js';

const harnesses: Readonly<Record<string, HarnessFactory>> = {
  simulated,
  'over sockets': overSockets,
};

/** What a flow has at hand: the broker's harness and clients of one version. */
export class Flow {
  readonly harness: Harness;
  readonly version: Version;
  readonly #captures: Captures = new Map();

  constructor(harness: Harness, version: Version) {
    this.harness = harness;
    this.version = version;
  }

  client(name: string): CaseClient {
    return new CaseClient(name, this.version, this.#captures, this.harness);
  }

  async connected(name: string, fields: Fields = {}): Promise<CaseClient> {
    const client = this.client(name);
    await client.connect(fields, {});
    return client;
  }

  async subscribe(client: CaseClient, topic: string, qos: 0 | 1 | 2): Promise<void> {
    const id = client.nextIdentifier();
    await client.send({ SUBSCRIBE: { id, subscriptions: [{ topic, qos }] } });
    await client.expect({ SUBACK: { id, granted: [qos] } });
  }
}

/** One test for each version and each harness. */
export function flow(
  name: string,
  versions: readonly Version[],
  body: (flow: Flow) => Promise<void>,
  setup: Setup = {},
): void {
  describe(name, () => {
    for (const [harnessName, start] of Object.entries(harnesses)) {
      for (const version of versions) {
        test(`${harnessName}, protocol level ${version}`, async () => {
          const harness = await start(setup);
          try {
            await body(new Flow(harness, version));
          } finally {
            await harness.stop();
          }
        });
      }
    }
  });
}
