import type { QoS } from '../../wire/control-packet.js';
import { addressSet } from './address-set.js';
import { actions, type Effect, type Rule } from './rule.js';
import { faultOf } from './topic-pattern.js';
import { nameSet, type Who } from './who.js';

/** A rule as configurations have it: keys, or `rule` with all of it in one line. */
export interface WrittenRule {
  readonly rule?: string | undefined;
  readonly effect?: Effect | undefined;
  readonly actions?: readonly string[] | undefined;
  readonly topics?: readonly string[] | undefined;
  readonly users?: readonly string[] | undefined;
  readonly clients?: readonly string[] | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly addresses?: readonly string[] | undefined;
  readonly listeners?: readonly string[] | undefined;
  readonly anonymous?: boolean | undefined;
  readonly qosMax?: QoS | undefined;
}

type Fields = Omit<WrittenRule, 'rule'>;

/** Names before `=` in a rule of one line. */
const NAMES = {
  user: 'users',
  client: 'clients',
  group: 'groups',
  address: 'addresses',
  listener: 'listeners',
} as const;

const TEXT_MAX = 120;

/** The rule, or a sentence about what is wrong with it. */
export function ruleFrom(written: WrittenRule, place: string): Rule | string {
  const { rule: line, ...keys } = written;
  if (line === undefined) return fromFields(keys, place, textOf(keys));
  if (Object.values(keys).some((value) => value !== undefined)) {
    return `a rule in one line has no other keys beside it`;
  }
  const fields = fieldsOf(line);
  return typeof fields === 'string' ? fields : fromFields(fields, place, line.trim());
}

/** `allow publish,retain home/%u/# user=alice,bob qos=1`: effect, actions, topic, conditions. */
function fieldsOf(line: string): Fields | string {
  const [effect, what, topic, ...conditions] = line.trim().split(/\s+/);
  if (effect !== 'allow' && effect !== 'deny') {
    return `a rule begins with allow or deny, not with "${effect ?? ''}"`;
  }
  if (what === undefined || topic === undefined) {
    return (
      'expected a rule such as "allow publish home/%u/# user=alice"; ' +
      'one whose topic is # stands in quotes, for YAML begins a comment there'
    );
  }
  let fields: Fields = { effect, actions: what.split(','), topics: [topic] };
  for (const condition of conditions) {
    const more = conditionOf(condition);
    if (typeof more === 'string') return more;
    fields = { ...fields, ...more };
  }
  return fields;
}

function conditionOf(condition: string): Fields | string {
  const equals = condition.indexOf('=');
  const name = condition.slice(0, Math.max(equals, 0));
  const value = condition.slice(equals + 1);
  if (Object.hasOwn(NAMES, name) && value !== '') {
    return { [NAMES[name as keyof typeof NAMES]]: value.split(',') };
  }
  if (condition === 'anonymous') return { anonymous: true };
  if (condition === 'authenticated') return { anonymous: false };
  if (name === 'qos' && /^[012]$/.test(value)) return { qosMax: Number(value) as QoS };
  const known = `${Object.keys(NAMES).join('=, ')}=, qos=0, 1 or 2, anonymous, authenticated`;
  return `"${condition}" is no condition: expected one of ${known}`;
}

function fromFields(fields: Fields, place: string, text: string): Rule | string {
  const { effect, topics = [], qosMax = 2 } = fields;
  if (effect === undefined) return 'a rule needs effect: allow or deny';
  if (topics.length === 0) return 'a rule needs topics';
  if (effect === 'deny' && qosMax < 2) return 'qos_max limits what is allowed: deny has none';
  const fault = topics.map(faultOf).find((sentence) => sentence !== undefined);
  if (fault !== undefined) return fault;
  let requests = 0;
  for (const action of fields.actions ?? ['all']) {
    if (!Object.hasOwn(actions, action)) {
      return `"${action}" is no action: expected ${Object.keys(actions).join(', ')}`;
    }
    requests |= actions[action]!;
  }
  const who = whoOf(fields);
  if (typeof who === 'string') return who;
  return { effect, requests, qosMax, who, topics, place, text };
}

function whoOf(fields: Fields): Who | string {
  const { users, clients, groups, addresses, listeners, anonymous } = fields;
  if (anonymous === true && users !== undefined) return 'an anonymous client has no user name';
  const set = addresses && addressSet(addresses);
  if (set !== undefined && 'wrong' in set) {
    return `"${set.wrong}" is neither an address nor a network such as 192.168.1.0/24`;
  }
  return {
    ...(users && { users: nameSet(users) }),
    ...(clients && { clients: nameSet(clients) }),
    ...(groups && { groups: nameSet(groups) }),
    ...(set && { addresses: set }),
    ...(listeners && { listeners: nameSet(listeners) }),
    ...(anonymous !== undefined && { anonymous }),
  };
}

/** The keys as the line that they could have been written in. */
function textOf({ effect, actions: what = ['all'], topics = [], ...more }: Fields): string {
  const conditions = Object.entries(NAMES).flatMap(([word, name]) => {
    const names = more[name];
    return names === undefined ? [] : [`${word}=${names.join(',')}`];
  });
  if (more.anonymous !== undefined) {
    conditions.push(more.anonymous ? 'anonymous' : 'authenticated');
  }
  if (more.qosMax !== undefined) conditions.push(`qos=${more.qosMax}`);
  const text = [effect, what.join(','), topics.join(' '), ...conditions].join(' ');
  return text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX - 1)}…`;
}
