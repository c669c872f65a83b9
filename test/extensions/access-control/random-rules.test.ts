import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matches } from '../../../src/topic/topic-filter.js';
import { BrokerWorld } from '../../broker/broker-world.js';
import type { TestClient } from '../../broker/test-client.js';
import { useRules } from './rule-lines.js';

const topic = fc.constantFrom('a', 'a/b', 'a/b/c', 'b', 'c1/x', 'c2/x');
const filter = fc.constantFrom('#', 'a/#', '+', 'a/+', '+/x', 'a/b', '$share/g/a/#', '$share/h/#');
const rule = fc.record({
  allows: fc.boolean(),
  action: fc.constantFrom('subscribe', 'receive', 'all'),
  pattern: fc.constantFrom('#', 'a', 'a/#', 'a/b', '+/x', '%c/#', 'b', '+'),
  client: fc.constantFrom('', 'c1', 'c2'),
});
type RuleParts = typeof rule extends fc.Arbitrary<infer T> ? T : never;

const step = fc.oneof(
  fc.record({ kind: fc.constant('subscribe' as const), who: fc.nat(1), filter }),
  fc.record({ kind: fc.constant('publish' as const), topic, retain: fc.boolean() }),
  fc.record({ kind: fc.constant('publish' as const), topic, retain: fc.boolean() }),
  fc.record({ kind: fc.constant('back' as const), who: fc.nat(1) }),
  fc.record({ kind: fc.constant('away' as const), who: fc.nat(1) }),
  fc.record({ kind: fc.constant('rules' as const), rules: fc.array(rule, { maxLength: 5 }) }),
);

const names = ['c1', 'c2'] as const;
const stored = { clean: false, properties: { sessionExpiryInterval: 3600 } };

function lineOf({ allows, action, pattern, client }: RuleParts): string {
  const who = client === '' ? '' : ` client=${client}`;
  return `${allows ? 'allow' : 'deny'} ${action} ${pattern}${who}`;
}

/** As one reads the rules: the first that matches. */
function mayReceive(rules: readonly RuleParts[], name: string, topicName: string): boolean {
  const first = rules.find(
    ({ client, pattern }) =>
      (client === '' || client === name) && matches(pattern.replace('%c', name), topicName),
  );
  return first?.allows ?? false;
}

/** One world, its clients, and what each of them must and must not get. */
class Run {
  rules: readonly RuleParts[] = [];
  readonly #world: BrokerWorld;
  readonly #clients: (TestClient | undefined)[] = [];
  readonly #publisher: TestClient;
  #count = 0;

  constructor(world: BrokerWorld) {
    this.#world = world;
    this.use([]);
    this.#publisher = world.connect('publisher');
    for (const who of names.keys()) this.back(who);
  }

  use(rules: readonly RuleParts[]): void {
    this.rules = rules;
    const mine = ['allow publish # client=publisher', ...rules.map(lineOf)];
    useRules(this.#world, mine);
  }

  back(who: number): void {
    this.#clients[who]?.drop();
    const client = this.#world.connect(names[who]!, stored);
    this.#clients[who] = client;
    this.#judge(who, client);
  }

  away(who: number): void {
    this.#clients[who]?.drop();
    this.#clients[who] = undefined;
  }

  subscribe(who: number, topicFilter: string): void {
    const client = this.#clients[who];
    if (client === undefined) return;
    client.send(client.subscribePacket(topicFilter, { qos: 1 }));
    this.#judge(who, client);
  }

  publish(topicName: string, retain: boolean): void {
    const payload = `${this.#count++}`;
    const subscribed = names.map((name) => this.#filtersOf(name));
    this.#publisher.publish(topicName, payload, { retain, qos: 1 });
    names.forEach((name, who) => {
      const client = this.#clients[who];
      if (client === undefined) return;
      const received = this.#judge(who, client).filter((text) => text === payload);
      const plain = subscribed[who]!.filter((one) => !one.startsWith('$share/'));
      const isDue = plain.some((one) => matches(one, topicName));
      const shares = subscribed[who]!.length - plain.length;
      const isMine = isDue && mayReceive(this.rules, name, topicName);
      expect(received.length).toBeGreaterThanOrEqual(isMine ? 1 : 0);
      expect(received.length).toBeLessThanOrEqual((isMine ? 1 : 0) + shares);
    });
  }

  /** A share gives its message to somebody who may have it, as long as there is one. */
  publishToShares(topicName: string): void {
    const payload = `shared ${this.#count++}`;
    const shares = new Map<string, string[]>();
    names.forEach((name, who) => {
      if (this.#clients[who] === undefined || !mayReceive(this.rules, name, topicName)) return;
      for (const full of this.#filtersOf(name)) {
        const [, , ...rest] = full.split('/');
        if (!full.startsWith('$share/') || !matches(rest.join('/'), topicName)) continue;
        shares.set(full, [...(shares.get(full) ?? []), name]);
      }
    });
    const plain = names.filter(
      (name, who) =>
        this.#clients[who] !== undefined &&
        mayReceive(this.rules, name, topicName) &&
        this.#filtersOf(name).some((one) => !one.startsWith('$') && matches(one, topicName)),
    );
    this.#publisher.publish(topicName, payload, { qos: 1 });
    const received = this.#clients.flatMap((client, who) =>
      client === undefined ? [] : this.#judge(who, client).filter((text) => text === payload),
    );
    expect(received).toHaveLength(shares.size + plain.length);
  }

  #filtersOf(name: string): string[] {
    return [...(this.#world.broker.sessions.get(name)?.subscriptions.keys() ?? [])];
  }

  /** All that came is allowed; acknowledged, so that the next may come. */
  #judge(who: number, client: TestClient): string[] {
    const texts: string[] = [];
    for (;;) {
      const came = client.publishes();
      if (came.length === 0) return texts;
      for (const { topic: topicName, payload, qos, messageId } of came) {
        const isAllowed = mayReceive(this.rules, names[who]!, String(topicName));
        expect({ who, topicName, isAllowed }).toEqual({ who, topicName, isAllowed: true });
        texts.push(String(payload));
        if (qos === 1) client.puback(Number(messageId));
      }
    }
  }
}

test('whatever the rules are and become, everybody gets what is allowed and nothing else', async () => {
  const rules = fc.array(rule, { minLength: 1, maxLength: 6 });
  const steps = fc.array(step, { minLength: 5, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(rules, steps, async (first, all) => {
      const run = new Run(await BrokerWorld.start());
      run.use(first);
      for (const one of all) {
        if (one.kind === 'subscribe') run.subscribe(one.who, one.filter);
        else if (one.kind === 'publish') {
          run.publish(one.topic, one.retain);
          run.publishToShares(one.topic);
        } else if (one.kind === 'back') run.back(one.who);
        else if (one.kind === 'away') run.away(one.who);
        else run.use(one.rules);
      }
    }),
    { numRuns: 400 },
  );
});
