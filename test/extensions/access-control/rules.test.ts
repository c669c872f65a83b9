import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/base/log.js';
import { RuleControl } from '../../../src/extensions/access-control/access-control.js';
import {
  type AccessRuleOptions,
  accessRules,
} from '../../../src/extensions/access-control/access-rules.js';
import { DenialLog } from '../../../src/extensions/access-control/denial-log.js';
import { PermissionRules } from '../../../src/extensions/access-control/permissions.js';
import { Request, type Rule } from '../../../src/extensions/access-control/rule.js';
import { RuledAccess } from '../../../src/extensions/access-control/ruled-access.js';
import { shadowedRules } from '../../../src/extensions/access-control/shadowed-rules.js';
import { type ClientFacts, matchesGlob } from '../../../src/extensions/access-control/who.js';
import { ruleFrom, type WrittenRule } from '../../../src/extensions/access-control/written-rule.js';
import { DENIED } from '../../../src/session/client-access.js';
import type { Permission } from '../../../src/session/identity.js';
import { Statistics } from '../../../src/session/statistics.js';
import { matches } from '../../../src/topic/topic-filter.js';
import { optionsOf, rulesOf } from './rule-lines.js';

const clock = { nowMs: 0, wallMs: () => 0 };

function facts(more: Partial<ClientFacts> = {}): ClientFacts {
  return {
    userName: 'alice',
    clientIdentifier: 'c1',
    groups: [],
    host: '192.0.2.7',
    listener: 'mqtt://192.0.2.2:1883',
    claims: {},
    isComplete: true,
    ...more,
  };
}

function access(
  lines: readonly string[],
  who: Partial<ClientFacts> = {},
  more: Partial<AccessRuleOptions> = {},
  permissions?: readonly Permission[],
): RuledAccess {
  const one = facts(who);
  const token = permissions && new PermissionRules(permissions, one);
  const denials = new DenialLog(silentLogger, clock, new Statistics());
  return new RuledAccess(one, accessRules(optionsOf(lines, more)), token, denials);
}

function mayPublish(lines: readonly string[], topic: string, who: Partial<ClientFacts> = {}) {
  return access(lines, who).mayPublish(topic, 0, false);
}

describe('which rule decides', () => {
  const lines = ['allow publish a/#', 'deny publish a/b', 'allow publish a/b'];

  test('the first that matches, or the last', () => {
    expect(access(lines).explain(Request.Publish, 'a/b').place).toBe('rules.yaml:1');
    const last = access(lines.slice(0, 2), {}, { evaluation: 'last' });
    expect(last.explain(Request.Publish, 'a/b')).toMatchObject({ verdict: DENIED });
    expect(last.explain(Request.Publish, 'a/c')).toMatchObject({ place: 'rules.yaml:1' });
  });

  test('the default where none does, and topics of the broker are closed in front of it', () => {
    expect(access([]).explain(Request.Publish, 'x')).toMatchObject({ place: 'default' });
    const open = access([], {}, { byDefault: 'allow' });
    expect(open.mayPublish('x', 2, true)).toBe(true);
    expect(open.mayPublish('$SYS/x', 0, false)).toBe(false);
    expect(open.judge('$SYS/#')).toEqual({ qosMax: 2, isPartial: false });
    expect(access(['allow publish $SYS/x']).mayPublish('$SYS/x', 0, false)).toBe(true);
  });

  test('is what asking one after the other gives', () => {
    const topic = fc.constantFrom('a', 'b', 'a/b', 'a/b/c', 'c1/x', 'alice', '$x/a');
    const rule = fc.record({
      effect: fc.constantFrom('allow' as const, 'deny' as const),
      actions: fc.constantFrom(['publish'], ['retain'], ['subscribe'], ['receive'], ['all']),
      topics: fc.array(fc.constantFrom('#', 'a', 'a/#', '+/b', '%u', '%c/#', '$x/#', 'a/+'), {
        minLength: 1,
        maxLength: 3,
      }),
      users: fc.option(fc.constantFrom(['alice'], ['bob', 'alice'], ['al*']), { nil: undefined }),
      clients: fc.option(fc.constantFrom(['c1'], ['c2']), { nil: undefined }),
      groups: fc.option(fc.constantFrom(['g'], ['h']), { nil: undefined }),
      anonymous: fc.option(fc.boolean(), { nil: undefined }),
    });
    const client = fc.record({
      userName: fc.constantFrom('alice', 'bob', 'carol', undefined),
      clientIdentifier: fc.constantFrom('c1', 'c2'),
      groups: fc.constantFrom([], ['g'], ['g', 'h']),
    });
    const requests = fc.constantFrom(...Object.values(Request));
    const written = fc.array(rule, { maxLength: 12 });
    fc.assert(
      fc.property(written, client, topic, requests, fc.boolean(), (all, who, name, asked, last) => {
        const usable = all.filter(({ anonymous, users }) => !(anonymous === true && users));
        const rules = usable.map((one, i) => ruleFrom(one as WrittenRule, `r:${i}`) as Rule);
        const evaluation = last ? 'last' : 'first';
        const decided = access([], who, { rules, evaluation, byDefault: 'deny' });
        const inOrder = last ? rules.toReversed() : rules;
        const expected = inOrder.find((one) => naiveMatch(one, facts(who), name, asked));
        const { place } = decided.explain(asked, name);
        expect(place).toBe(expected?.place ?? 'default');
      }),
      { numRuns: 2000 },
    );
  });
});

/** As one reads a rule. */
function naiveMatch(rule: Rule, who: ClientFacts, topic: string, request: number): boolean {
  const named = (set: { exact: ReadonlySet<string> } | undefined, names: readonly string[]) =>
    set === undefined ||
    names.some((name) => set.exact.has(name) || (name.startsWith('al') && set.exact.size === 0));
  const { users, clients, groups, anonymous } = rule.who;
  if ((rule.requests & request) === 0) return false;
  if (!named(users, who.userName === undefined ? [] : [who.userName])) return false;
  if (!named(clients, [who.clientIdentifier]) || !named(groups, who.groups)) return false;
  if (anonymous !== undefined && anonymous !== (who.userName === undefined)) return false;
  return rule.topics.some((pattern) => {
    if (pattern === '%u') return who.userName === topic;
    return matches(pattern.replace('%c', who.clientIdentifier), topic);
  });
}

describe('%u, %c and %{claim}', () => {
  test.each(['+', '#', 'a/b', '', '$SYS'])(
    'what could widen a pattern makes it match nothing: %s',
    (name) => {
      const lines = ['allow all %u/#', 'allow all %c/#', 'allow all %{tenant}/#'];
      const one = access(lines, {
        userName: name,
        clientIdentifier: name,
        claims: { tenant: name },
      });
      expect(one.judge('#').qosMax).toBe(DENIED);
      expect(one.judge('$SYS/#').qosMax).toBe(DENIED);
      expect(one.mayPublish(`${name}/x`, 0, false)).toBe(false);
    },
  );

  test('a `$` further behind is a letter like others', () => {
    expect(mayPublish(['allow publish u/%u'], 'u/$x', { userName: '$x' })).toBe(true);
  });

  test('what denies names several levels as well', () => {
    const lines = ['deny publish private/%u/#', 'allow publish #'];
    expect(mayPublish(lines, 'private/a/b/c', { userName: 'a/b' })).toBe(false);
    expect(mayPublish(lines, 'private/a/c', { userName: 'a/b' })).toBe(true);
  });

  test('a claim may be a text, a number or several; one of Object itself is none', () => {
    const lines = ['allow publish t/%{tenant}/#'];
    const claims = { tenant: ['one', 2, '+'] };
    expect(mayPublish(lines, 't/one/x', { claims })).toBe(true);
    expect(mayPublish(lines, 't/2/x', { claims })).toBe(true);
    expect(mayPublish(lines, 't/three/x', { claims })).toBe(false);
    expect(access(['allow publish %{constructor}/#']).judge('#').qosMax).toBe(DENIED);
  });

  test('a client without user name has no topics of its own', () => {
    expect(mayPublish(['allow publish %u/#'], 'undefined/x', { userName: undefined })).toBe(false);
  });
});

describe('whom a rule is about', () => {
  test.each<[string, Partial<ClientFacts>, boolean]>([
    ['user=alice', {}, true],
    ['user=bob', {}, false],
    ['user=*', { userName: undefined }, false],
    ['client=c*', {}, true],
    ['client=d*,c1', {}, true],
    ['group=family', { groups: ['guests', 'family'] }, true],
    ['group=family', {}, false],
    ['address=192.0.2.0/24', {}, true],
    ['address=192.0.2.0/29', { host: '192.0.2.8' }, false],
    ['address=2001:db8::/32', { host: '2001:db8::1' }, true],
    ['address=192.0.2.7', { host: 'local' }, false],
    ['listener=mqtt://192.0.2.2:1883', {}, true],
    ['listener=wss://*', {}, false],
    ['anonymous', {}, false],
    ['anonymous', { userName: undefined }, true],
    ['authenticated', {}, true],
    ['user=alice group=family', {}, false],
  ])('%s of %j: %s', (condition, who, expected) => {
    expect(mayPublish([`allow publish # ${condition}`], 'x', who)).toBe(expected);
  });

  test('a glob is found as its parts are, without trying anything twice', () => {
    const glob = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 8 }).map((p) => p.join(''));
    const name = fc.array(fc.constantFrom('a', 'b'), { maxLength: 8 }).map((p) => p.join(''));
    fc.assert(
      fc.property(glob, name, (one, other) => {
        const pattern = new RegExp(`^${one.replaceAll('*', '.*')}$`);
        expect(matchesGlob(one, other)).toBe(pattern.test(other));
      }),
      { numRuns: 2000 },
    );
    expect(matchesGlob(`${'a*'.repeat(5000)}b`, 'a'.repeat(20_000))).toBe(false);
  });

  test('of a client that is away only user name and Client Identifier are known', () => {
    const away = { groups: [], host: '', listener: '', isComplete: false };
    expect(mayPublish(['allow publish # group=family'], 'x', away)).toBe(true);
    expect(mayPublish(['deny publish # group=guests', 'allow publish #'], 'x', away)).toBe(true);
    expect(mayPublish(['deny publish # user=alice', 'allow publish #'], 'x', away)).toBe(false);
  });
});

describe('what a token says about topics', () => {
  const permissions: readonly Permission[] = [
    { effect: 'deny', action: 'publish', topicFilter: 'mine/secret' },
    { effect: 'allow', action: 'all', topicFilter: 'mine/#', qos: [0, 1] },
    { effect: 'allow', action: 'publish', topicFilter: 'live/%c', retain: false },
    { effect: 'deny', action: 'subscribe', topicFilter: 'x/#', isLiteral: true },
    { effect: 'allow', action: 'subscribe', topicFilter: 'x/+/y' },
  ];
  const withToken = (lines: readonly string[]) => access(lines, {}, {}, permissions);

  test('takes the place of rules that allow', () => {
    const one = withToken([]);
    expect(one.mayPublish('mine/a', 1, true)).toBe(true);
    expect(one.mayPublish('mine/a', 2, true)).toBe(false);
    expect(one.mayPublish('mine/secret', 0, false)).toBe(false);
    expect(one.mayPublish('live/c1', 0, false)).toBe(true);
    expect(one.mayPublish('live/c1', 0, true)).toBe(false);
    expect(one.mayPublish('other', 0, false)).toBe(false);
    expect(one.judge('mine/#')).toEqual({ qosMax: 1, isPartial: false });
    expect(one.judge('#')).toEqual({ qosMax: 2, isPartial: true });
    expect(one.judge('x/#').qosMax).toBe(DENIED);
    expect(one.judge('x/a/y').qosMax).toBe(2);
  });

  test('one that is taken as written decides in its turn, and about publishing too', () => {
    const one = access([], {}, {}, [
      { effect: 'deny', action: 'subscribe', topicFilter: 'secret/#' },
      { effect: 'deny', action: 'all', topicFilter: 'a/b', isLiteral: true },
      { effect: 'allow', action: 'subscribe', topicFilter: 'secret/a', isLiteral: true },
      { effect: 'allow', action: 'publish', topicFilter: 'a/#' },
      { effect: 'allow', action: 'all', topicFilter: 'w/+', isLiteral: true },
      { effect: 'deny', action: 'subscribe', topicFilter: 'p/secret' },
      { effect: 'allow', action: 'subscribe', topicFilter: 'p/#', isLiteral: true },
    ]);
    expect(one.mayPublish('a/c', 0, false)).toBe(true);
    expect(one.mayPublish('a/b', 0, false)).toBe(false);
    expect(one.mayPublish('w/x', 0, false)).toBe(false);
    expect(one.judge('w/+')).toEqual({ qosMax: 2, isPartial: false });
    expect(one.judge('w/x').qosMax).toBe(DENIED);
    expect(one.receiveQoS('w/x')).toBe(2);
    expect(one.judge('secret/a').qosMax).toBe(DENIED);
    expect(one.judge('p/#')).toEqual({ qosMax: 2, isPartial: true });
    expect(one.judge('p/open').qosMax).toBe(DENIED);
    expect(one.receiveQoS('p/secret')).toBe(DENIED);
  });

  test('and rules that deny hold for it all the same', () => {
    const one = withToken(['deny all mine/a', 'allow all #']);
    expect(one.mayPublish('mine/a', 0, false)).toBe(false);
    expect(one.mayPublish('mine/b', 0, false)).toBe(true);
    expect(one.mayPublish('other', 0, false)).toBe(false);
    expect(one.receiveQoS('mine/a')).toBe(DENIED);
  });

  test('is judged where there are no rules at all', () => {
    const control = new RuleControl({
      rules: undefined,
      log: silentLogger,
      clock,
      statistics: new Statistics(),
    });
    const view = {
      clientIdentifier: 'c1',
      userName: 'alice',
      protocolVersion: 5,
      address: '[2001:db8::1]:1883',
      listener: 'mqtt://192.0.2.2:1883',
    } as const;
    expect(control.enter(view)).toBeUndefined();
    const identity = {
      userName: 'alice',
      groups: [],
      claims: {},
      expiresAtMs: undefined,
      permissions,
    };
    const one = control.enter({ ...view, identity })!;
    expect(one.mayPublish('mine/a', 0, false)).toBe(true);
    expect(one.mayPublish('other', 0, false)).toBe(false);
    expect(control.renewed(one)!.mayPublish('mine/a', 0, false)).toBe(true);
  });
});

describe('a rule that is written wrong', () => {
  test.each([
    ['permit all #', 'allow or deny'],
    ['allow', 'expected a rule such as'],
    ['allow publishing a', '"publishing" is no action'],
    ['allow publish a/#/b', 'is not a Topic Filter'],
    ['allow publish $share/g/a', 'without $share'],
    ['allow publish a usr=x', '"usr=x" is no condition'],
    ['allow publish a qos=3', 'is no condition'],
    ['deny publish a qos=1', 'deny has none'],
    ['allow publish a address=300.1.1.1', 'neither an address nor a network'],
    ['allow publish a address=10.0.0.0/33', 'neither an address nor a network'],
    ['allow publish a user=x anonymous', 'has no user name'],
  ])('%s', (rule, sentence) => {
    expect(ruleFrom({ rule }, 'rules.yaml:1')).toContain(sentence);
  });

  test('has no line beside its keys', () => {
    const both = { rule: 'allow publish a', topics: ['b'] };
    expect(ruleFrom(both, 'rules.yaml:1')).toContain('no other keys');
    expect(ruleFrom({ effect: 'allow' }, 'rules.yaml:1')).toContain('needs topics');
    expect(ruleFrom({ topics: ['a'] }, 'rules.yaml:1')).toContain('needs effect');
  });
});

describe('rules that never decide', () => {
  test('because those before them say it all', () => {
    const rules = rulesOf([
      'allow all home/#',
      'deny publish home/alarm',
      'allow publish public/a user=bob',
      'allow publish public/#',
      'deny publish public/a user=bob',
      'deny publish public/b user=bob',
      'allow receive #',
      'allow subscribe home/%u/x',
      'allow subscribe away',
    ]);
    const found = shadowedRules(rules).map(({ rule, by }) => [rule.text, by.text]);
    expect(found).toEqual([
      ['deny publish home/alarm', 'allow all home/#'],
      ['deny publish public/a user=bob', 'allow publish public/a user=bob'],
      ['deny publish public/b user=bob', 'allow publish public/#'],
      ['allow subscribe home/%u/x', 'allow all home/#'],
    ]);
  });

  test('are found among thousands', () => {
    const many = Array.from({ length: 3000 }, (_, i) => `allow publish d/${i}/# user=u${i}`);
    const found = shadowedRules(rulesOf([...many, 'allow publish d/7/a user=u7']));
    expect(found.map(({ by }) => by.text)).toEqual(['allow publish d/7/# user=u7']);
  });
});

test('what a client remembers of decisions is bounded', () => {
  const one = access(['deny publish 5', 'allow publish #']);
  for (let i = 0; i < 5000; i++) expect(one.mayPublish(`${i}`, 0, false)).toBe(i !== 5);
  const long = 'x'.repeat(60_000);
  for (let i = 0; i < 50; i++) expect(one.mayPublish(`${long}${i}`, 0, false)).toBe(true);
  expect(one.mayPublish('5', 0, false)).toBe(false);
});

test('permissions of a token are about the QoS that they name', () => {
  const permissions: readonly Permission[] = [
    { effect: 'deny', action: 'publish', topicFilter: 'a/#', qos: [2] },
    { effect: 'allow', action: 'all', topicFilter: 'a/#' },
    { effect: 'allow', action: 'publish', topicFilter: 'b', qos: [1] },
    { effect: 'allow', action: 'subscribe', topicFilter: 'c/#', qos: [0, 1] },
    { effect: 'deny', action: 'subscribe', topicFilter: 'd', qos: [1, 2] },
    { effect: 'allow', action: 'subscribe', topicFilter: 'd' },
  ];
  const client = access(['allow all #'], {}, {}, permissions);
  const allowed = (topic: string) =>
    ([0, 1, 2] as const).filter((qos) => client.mayPublish(topic, qos, false));
  expect(allowed('a/x')).toEqual([0, 1]);
  expect(allowed('b')).toEqual([1]);
  expect(allowed('c/x')).toEqual([]);
  expect(client.judge('a/#')).toEqual({ qosMax: 2, isPartial: false });
  expect(client.judge('c/+')).toEqual({ qosMax: 1, isPartial: false });
  expect(client.receiveQoS('c/x')).toBe(1);
  expect(client.judge('d').qosMax).toBe(0);
  expect(client.judge('b').qosMax).toBe(DENIED);
});
