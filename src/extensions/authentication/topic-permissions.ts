import type { Permission } from '../../broker/hooks.js';

type Action = Permission['action'];

const PERMISSIONS_MAX = 1000;
const TOPIC_LENGTH_MAX = 65_535;
const MALFORMED = 'what it says of topics (acl, publ, subs or pubsub) cannot be understood';

/**
 * What a token or a call-out says of topics, in the forms that other brokers know:
 *
 *     "publ": ["a/b"], "subs": ["a/#"], "pubsub": ["c/%u/+"]
 *     "acl": { "pub": ["a/b"], "sub": ["a/#"], "all": ["c/%u/+"] }
 *     "acl": [{ "permission": "allow", "action": "publish", "topic": "a/b", "qos": [0, 1] }, …]
 *
 * Undefined where it says nothing, and a sentence where it cannot be understood: then nothing at
 * all is allowed by it.
 */
export function topicPermissions(
  said: Readonly<Record<string, unknown>>,
): readonly Permission[] | undefined | string {
  const { publ, subs, pubsub, acl } = said;
  if (publ === undefined && subs === undefined && pubsub === undefined && acl === undefined) {
    return undefined;
  }
  try {
    const permissions = [
      ...(acl === undefined ? [] : ofAcl(acl)),
      ...(publ === undefined ? [] : allowed(publ, 'publish')),
      ...(subs === undefined ? [] : allowed(subs, 'subscribe')),
      ...(pubsub === undefined ? [] : allowed(pubsub, 'all')),
    ];
    if (permissions.length <= PERMISSIONS_MAX) return permissions;
    return `it has more than ${PERMISSIONS_MAX} permissions`;
  } catch (error) {
    if (error instanceof Malformed) return MALFORMED;
    throw error;
  }
}

class Malformed extends Error {}

function ofAcl(acl: unknown): Permission[] {
  if (Array.isArray(acl)) return acl.flatMap(ofRule);
  const lists = objectOf(acl);
  const known: Readonly<Record<string, Action>> = {
    pub: 'publish',
    publish: 'publish',
    sub: 'subscribe',
    subscribe: 'subscribe',
    all: 'all',
    pubsub: 'all',
  };
  return Object.entries(lists).flatMap(([name, topics]) => {
    const action = Object.hasOwn(known, name) ? known[name] : undefined;
    if (action === undefined) throw new Malformed();
    return allowed(topics, action);
  });
}

function ofRule(written: unknown): Permission[] {
  const { permission, action = 'all', topic, topics = topic, qos, retain } = objectOf(written);
  const effect = oneOf(permission, ['allow', 'deny'] as const);
  const about = oneOf(action === 'pubsub' ? 'all' : action, [
    'publish',
    'subscribe',
    'all',
  ] as const);
  return listOf(topics).map((each) => ({
    effect,
    action: about,
    ...filterOf(each),
    ...(qos === undefined || qos === 'all' ? {} : { qos: qosOf(qos) }),
    ...(retain === undefined || retain === 'all' ? {} : { retain: retainOf(retain) }),
  }));
}

function allowed(topics: unknown, action: Action): Permission[] {
  return listOf(topics).map((topic) => ({ effect: 'allow', action, ...filterOf(topic) }));
}

function filterOf(written: unknown): Pick<Permission, 'topicFilter' | 'isLiteral'> {
  if (typeof written !== 'string' || written === '' || written.length > TOPIC_LENGTH_MAX) {
    throw new Malformed();
  }
  const isLiteral = written.startsWith('eq ');
  const topicFilter = (isLiteral ? written.slice(3) : written)
    .replaceAll(/\$\{(?:username|user_name)\}/g, '%u')
    .replaceAll(/\$\{(?:clientid|client_id)\}/g, '%c');
  return isLiteral ? { topicFilter, isLiteral } : { topicFilter };
}

function qosOf(written: unknown): readonly (0 | 1 | 2)[] {
  return listOf(written).map((each) => oneOf(each, [0, 1, 2] as const));
}

function retainOf(written: unknown): boolean {
  return (
    oneOf(written, [true, false, 1, 0, 'true', 'false'] as const)
      .toString()
      .match(/true|1/) !== null
  );
}

function listOf(written: unknown): readonly unknown[] {
  if (written === undefined || written === null) throw new Malformed();
  return Array.isArray(written) ? written : [written];
}

function oneOf<const T>(written: unknown, choices: readonly T[]): T {
  const choice = choices.find((each) => each === written);
  if (choice === undefined) throw new Malformed();
  return choice;
}

function objectOf(written: unknown): Readonly<Record<string, unknown>> {
  if (typeof written !== 'object' || written === null || Array.isArray(written)) {
    throw new Malformed();
  }
  return written as Record<string, unknown>;
}
