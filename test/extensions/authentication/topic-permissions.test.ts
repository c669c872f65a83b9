import { expect, test } from 'vitest';
import { topicPermissions } from '../../../src/extensions/authentication/topic-permissions.js';

const allow = (action: string, topicFilter: string) => ({ effect: 'allow', action, topicFilter });

test('lists of what may be published and subscribed to', () => {
  expect(topicPermissions({ publ: ['a/b', 'c'], subs: 'a/#', pubsub: ['d/%u/+'] })).toEqual([
    allow('publish', 'a/b'),
    allow('publish', 'c'),
    allow('subscribe', 'a/#'),
    allow('all', 'd/%u/+'),
  ]);
});

test('an acl of lists, and one of rules, in order; the rules stand before the lists', () => {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: so tokens write it.
  const acl = { pub: ['${username}/x'], sub: ['${clientid}/#'], all: ['t'] };
  expect(topicPermissions({ acl })).toEqual([
    allow('publish', '%u/x'),
    allow('subscribe', '%c/#'),
    allow('all', 't'),
  ]);
  const rules = [
    { permission: 'deny', action: 'publish', topic: 'a/secret', qos: 1, retain: true },
    {
      permission: 'allow',
      action: 'pubsub',
      topics: ['a/#', 'eq b/+'],
      qos: [0, 2],
      retain: 'all',
    },
  ];
  expect(topicPermissions({ acl: rules, publ: 'z' })).toEqual([
    { effect: 'deny', action: 'publish', topicFilter: 'a/secret', qos: [1], retain: true },
    { effect: 'allow', action: 'all', topicFilter: 'a/#', qos: [0, 2] },
    { effect: 'allow', action: 'all', topicFilter: 'b/+', isLiteral: true, qos: [0, 2] },
    allow('publish', 'z'),
  ]);
});

test('nothing said is not the same as nothing allowed', () => {
  expect(topicPermissions({ sub: 'kitchen' })).toBeUndefined();
  expect(topicPermissions({ publ: [] })).toEqual([]);
  expect(topicPermissions({ acl: {} })).toEqual([]);
});

test.each([
  [{ acl: 'all' }],
  [{ acl: null }],
  [{ publ: null }],
  [{ publ: [7] }],
  [{ publ: [''] }],
  [{ acl: { publsh: ['a'] } }],
  [{ acl: { constructor: ['a'] } }],
  [{ acl: ['a'] }],
  [{ acl: [{ action: 'publish', topic: 'a' }] }],
  [{ acl: [{ permission: 'allow', action: 'read', topic: 'a' }] }],
  [{ acl: [{ permission: 'allow' }] }],
  [{ acl: [{ permission: 'allow', topic: 'a', qos: 3 }] }],
  [{ acl: [{ permission: 'deny', topic: 'a', retain: 'yes' }] }],
])('%j cannot be understood', (said) => {
  expect(topicPermissions(said)).toContain('cannot be understood');
});

test('more than a thousand are too many', () => {
  expect(topicPermissions({ publ: Array(1001).fill('a') })).toContain('more than 1000');
});
