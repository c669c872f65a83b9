import { describe, expect, test } from 'vitest';
import { readDynamicSecurity } from '../../../src/extensions/access-control/dynamic-security-file.js';
import { readMosquittoAcl } from '../../../src/extensions/access-control/mosquitto-acl.js';

describe('an ACL file of Mosquitto', () => {
  test('gives rules with their lines, what denies first', () => {
    const { source, faults } = readMosquittoAcl(
      [
        '# who may what',
        'topic read public/#',
        '',
        'user alice',
        'topic readwrite home/a b',
        'topic deny home/no',
        'pattern write %c/up\r',
      ].join('\n'),
      'acl',
    );
    expect(faults).toEqual([]);
    expect(source.rules.map(({ place, text }) => `${place} ${text}`)).toEqual([
      'acl:6 topic deny home/no',
      'acl:2 topic read public/#',
      'acl:5 topic readwrite home/a b',
      'acl:7 pattern write %c/up',
    ]);
  });

  test.each([
    ['topic read', '"read" stands alone: it is a topic of that name', undefined],
    ['topic often a', 'read, write, readwrite or deny', 'acl:1'],
    ['topic read a/#/b', 'is not a Topic Filter', 'acl:1'],
    ['user', 'expected a user name', 'acl:1'],
    ['tpoic read a', 'expected user, topic or pattern', 'acl:1'],
  ])('%s: %s', (line, sentence, place) => {
    const { faults } = readMosquittoAcl(line, 'acl');
    if (place === undefined) expect(faults).toEqual([]);
    else expect(faults).toEqual([expect.stringMatching(`^${place}: .*${sentence}`)]);
  });
});

describe('the file of the dynamic security plugin', () => {
  test('gives clients with their roles and groups by priority, and their passwords', () => {
    const { clients, anonymousGroup, defaults, faults } = readDynamicSecurity(
      JSON.stringify({
        defaultACLAccess: { subscribe: true },
        anonymousGroup: 'guests',
        roles: [
          { rolename: 'low', acls: [] },
          {
            rolename: 'high',
            acls: [
              { acltype: 'publishClientSend', topic: 'b', priority: 1, allow: true },
              { acltype: 'publishClientSend', topic: 'a', priority: 5, allow: false },
            ],
          },
        ],
        groups: [
          { groupname: 'guests', roles: [{ rolename: 'low' }], clients: [{ username: 'alice' }] },
        ],
        clients: [
          {
            username: 'alice',
            clientid: 'phone',
            disabled: true,
            password: Buffer.from('hash').toString('base64'),
            salt: Buffer.from('salt').toString('base64'),
            iterations: 101,
            roles: [
              { rolename: 'low', priority: 1 },
              { rolename: 'high', priority: 2 },
            ],
          },
        ],
      }),
      'dynsec.json',
    );
    expect(faults).toEqual([]);
    const alice = clients.get('alice')!;
    expect(alice.roles.map(({ name }) => name)).toEqual(['high', 'low']);
    expect(alice.roles[0]!.acls.map(({ topic }) => topic)).toEqual(['a', 'b']);
    expect(alice.groups).toEqual([anonymousGroup]);
    expect(alice).toMatchObject({ clientIdentifier: 'phone', isDisabled: true });
    expect(Buffer.from(alice.password!.hash).toString()).toBe('hash');
    expect(alice.password!.iterations).toBe(101);
    expect(defaults).toMatchObject({ subscribe: true, publishClientSend: false });
  });

  test('that is broken says where', () => {
    const { faults } = readDynamicSecurity(
      [
        '{ "roles": [',
        '  { "acls": [] },',
        '  { "rolename": "r", "acls": [',
        '    { "acltype": "publish", "topic": "a" },',
        '    { "acltype": "publishClientSend" },',
        '    { "acltype": "publishClientSend", "topic": "a/#/b" } ] } ],',
        '  "clients": [ { "username": "x",',
        '    "roles": [ { "rolename": "none" } ] } ] }',
      ].join('\n'),
      'd.json',
    );
    expect(faults).toEqual([
      expect.stringMatching('d.json:2: .*rolename'),
      expect.stringMatching('d.json:4: acltype must be one of'),
      expect.stringMatching('d.json:5: an ACL needs a topic'),
      expect.stringMatching('d.json:6: .*Topic Filter'),
      expect.stringMatching('d.json:8: there is no rolename "none"'),
    ]);
    expect(readDynamicSecurity('[]', 'd.json').faults).toHaveLength(1);
    expect(readDynamicSecurity('{', 'd.json').faults[0]).toMatch(/^d.json:1: /);
  });
});
