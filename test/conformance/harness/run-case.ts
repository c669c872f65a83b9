import { CaseClient, Unexpected } from './case-client.js';
import { type Case, type Step, verbOf } from './case-file.js';
import type { Harness, HarnessFactory } from './harness.js';
import type { Captures, Version } from './hex-pattern.js';
import type { Fields } from './packet.js';

/** Runs a case with one version; rejects with the step that went wrong and what came instead. */
export async function runCase(one: Case, version: Version, start: HarnessFactory): Promise<void> {
  const harness = await start(one);
  try {
    const run = new CaseRun(harness, version);
    for (let i = 0; i < one.steps.length; i++) {
      const step = one.steps[i]!;
      if (step.for !== undefined && (step.for === 5) !== (version === 5)) continue;
      await run.step(step).catch((error: unknown) => {
        throw new Unexpected(`step ${i + 1}, ${JSON.stringify(step)}: ${messageOf(error)}`);
      });
    }
  } finally {
    await harness.stop();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

type Verb = (client: CaseClient, step: Step) => Promise<void>;

class CaseRun {
  readonly #harness: Harness;
  readonly #version: Version;
  readonly #captures: Captures = new Map();
  readonly #clients = new Map<string, CaseClient>();

  constructor(harness: Harness, version: Version) {
    this.#harness = harness;
    this.#version = version;
  }

  async step(step: Step): Promise<void> {
    await this.#verbs[verbOf(step)]!(this.#client(step.client ?? 'a'), step);
  }

  readonly #verbs: { readonly [verb: string]: Verb } = {
    send: (client, { send }) => client.send(send!),
    expect: (client, { expect }) => client.expect(expect!),
    expectBegin: (client, { expectBegin }) => client.expectBegin(expectBegin!),
    expectOneOf: (client, step) => client.expectOneOf(step.expectOneOf!, step.orClosed),
    expectAnyOrder: (client, { expectAnyOrder }) => client.expectAnyOrder(expectAnyOrder!),
    expectNothing: (client) => client.expectNothing(),
    expectOpen: (client) => client.expectNothing(),
    expectClosed: (client) => client.expectClosed(),
    expectFault: (client, { expectFault }) => client.expectFault(expectFault!),
    expectRefusal: (client, step) => client.expectRefusal(step.expectRefusal!, step.returnCode),
    expectDistinct: async (_, { expectDistinct }) => this.#expectDistinct(expectDistinct!),
    advanceMs: (_, { advanceMs }) => this.#harness.advance(advanceMs!),
    drop: (client) => client.drop(),
    connect: (client, { connect, connack }) => client.connect(connect!, connack ?? {}),
    disconnect: disconnect,
    ping: ping,
    subscribe: subscribe,
    publish: publish,
    receive: receive,
  };

  #client(name: string): CaseClient {
    let client = this.#clients.get(name);
    if (client === undefined) {
      client = new CaseClient(name, this.#version, this.#captures, this.#harness);
      this.#clients.set(name, client);
    }
    return client;
  }

  #expectDistinct(names: readonly (string | number)[]): void {
    const values = names.map((name) =>
      typeof name === 'string' && name.startsWith('$') ? this.#captures.get(name.slice(1)) : name,
    );
    if (new Set(values).size < values.length) {
      throw new Unexpected(`they are not all different: ${JSON.stringify(values)}`);
    }
  }
}

async function disconnect(client: CaseClient, step: Step): Promise<void> {
  await client.send({ DISCONNECT: step.disconnect! });
  await client.awaitEnd();
}

async function ping(client: CaseClient): Promise<void> {
  await client.send('c0 00');
  await client.expect('d0 00');
}

async function subscribe(client: CaseClient, step: Step): Promise<void> {
  const id = client.nextIdentifier();
  const qos = step.qos ?? 0;
  const subscriptions = [{ topic: step.subscribe!, qos, ...step.options }];
  await client.send({ SUBSCRIBE: { id, subscriptions, ...propertiesOf(step) } });
  await client.expect({ SUBACK: { id, granted: [qos] } });
}

/** Publishes and goes through the whole exchange. */
async function publish(client: CaseClient, step: Step): Promise<void> {
  const { qos = 0, payload = '', retain = false } = step;
  const id = step.id ?? client.nextIdentifier();
  const identifier = qos > 0 ? { id } : {};
  const fields = { topic: step.publish!, payload, qos, retain, ...identifier };
  await client.send({ PUBLISH: { ...fields, ...propertiesOf(step) } });
  const reasonCode = ['0x00', '0x10'];
  if (qos === 1) await client.expect({ PUBACK: { id, reasonCode } });
  if (qos !== 2) return;
  await client.expect({ PUBREC: { id, reasonCode } });
  await client.send({ PUBREL: { id } });
  await client.expect({ PUBCOMP: { id, reasonCode: 0 } });
}

/** Expects a PUBLISH sent for the first time and goes through the whole exchange. */
async function receive(client: CaseClient, step: Step): Promise<void> {
  const { qos = 0, payload = '', retain = false } = step;
  const id = `$received${client.nextIdentifier()}`;
  const fields = { topic: step.receive!, payload, qos, retain, id: qos > 0 ? id : null };
  await client.expect({ PUBLISH: { ...fields, ...propertiesOf(step) } });
  if (qos === 1) await client.send({ PUBACK: { id } });
  if (qos !== 2) return;
  await client.send({ PUBREC: { id } });
  await client.expect({ PUBREL: { id, reasonCode: 0 } });
  await client.send({ PUBCOMP: { id } });
}

function propertiesOf({ properties }: Step): { readonly properties?: Fields } {
  return properties === undefined ? {} : { properties };
}
