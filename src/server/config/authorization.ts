import type { WrittenRule } from '../../extensions/access-control/written-rule.js';
import { type CallOutConfig, callOut } from './call-out.js';
import { count, network, oneOf, path, text, yesOrNo } from './values.js';
import { type Entry, key, list, optional, section } from './vocabulary.js';

/** Who may do what with which topics. */
export type RuleConfig = WrittenRule;

export interface AuthorizationConfig {
  readonly rules: readonly RuleConfig[];
  readonly rulesFile: string | undefined;
  readonly mosquittoAclFile: string | undefined;
  readonly dynamicSecurityFile: string | undefined;
  readonly http: CallOutConfig | undefined;
  readonly evaluation: 'first' | 'last';
  readonly default: 'allow' | 'deny';
  readonly wildcardSubscriptions: 'filter' | 'refuse';
  readonly deniedPublish: 'drop' | 'disconnect';
  readonly revokedSubscriptions: 'remove' | 'disconnect';
}

/** One rule; the items of a rules file are the same. */
export const rule: Entry<RuleConfig> = section<Required<RuleConfig>>(
  {
    rule: optional(text('a rule'), 'none', 'The whole rule in one line, in place of the keys.'),
    effect: optional(oneOf('allow', 'deny'), 'none', 'Whether the rule opens or closes.'),
    actions: optional(
      list(oneOf('publish', 'retain', 'subscribe', 'receive', 'all')),
      'all',
      'What the rule is about.',
    ),
    topics: optional(list(text('a Topic Filter')), 'none', 'Topic Filters it is about.'),
    users: optional(list(text('a user name')), 'all', 'User names it is about.'),
    clients: optional(list(text('a Client Identifier')), 'all', 'Client Identifiers.'),
    groups: optional(list(text('a group')), 'all', 'Groups it is about.'),
    addresses: optional(list(network()), 'all', 'Addresses and networks it is about.'),
    listeners: optional(list(text('a listener')), 'all', 'URLs of listeners it is about.'),
    anonymous: optional(
      yesOrNo(),
      'both',
      'Only clients without a user name, or only those with one.',
    ),
    qosMax: optional(count(0, 2) as Entry<0 | 1 | 2>, '2', 'The highest QoS that it allows.'),
  },
  { short: 'rule' },
) as Entry<RuleConfig>;

export const authorization: Entry<AuthorizationConfig> = section<AuthorizationConfig>({
  rules: key(list(rule, { emptyToo: true }), [], 'Rules, in their order.'),
  rulesFile: optional(path('a file'), 'none', 'A file with further rules, behind these.'),
  mosquittoAclFile: optional(path('a file'), 'none', "Rules in the form of Mosquitto's acl_file."),
  dynamicSecurityFile: optional(path('a file'), 'none', "Mosquitto's dynamic-security.json."),
  http: optional(
    callOut('Asked with POST about every topic that a client publishes or subscribes to.'),
    'off',
    'A server of your own that must allow what the rules allow.',
  ),
  evaluation: key(oneOf('first', 'last'), 'first', 'Which of several matching rules decides.'),
  default: key(oneOf('allow', 'deny'), 'deny', 'What holds where rules exist and none matches.'),
  wildcardSubscriptions: key(
    oneOf('filter', 'refuse'),
    'filter',
    'What becomes of a subscription wider than what is allowed: it gets only what is, or nothing.',
  ),
  deniedPublish: key(
    oneOf('drop', 'disconnect'),
    'drop',
    'What follows a denied PUBLISH that has no answer in the protocol: QoS 0, and all before 5.0.',
  ),
  revokedSubscriptions: key(
    oneOf('remove', 'disconnect'),
    'remove',
    'Whether a client that loses a subscription by new rules is disconnected too (0x87), so that it learns of it.',
  ),
});

const places = new WeakMap<RuleConfig, string>();

/** Remembers where rules were written: `placeOf` begins with file, line and column, if any. */
export function notePlaces(
  { rules }: AuthorizationConfig,
  placeOf: (path: readonly (string | number)[]) => string | undefined,
): void {
  rules.forEach((written, i) => {
    const fileAndLine = /^(.*:\d+):\d+: /.exec(placeOf(['authorization', 'rules', i]) ?? '');
    if (fileAndLine !== null) places.set(written, fileAndLine[1]!);
  });
}

/** Of the rule with this index: file and line, or the name of the key. */
export function placeOfRule(written: RuleConfig, index: number): string {
  return places.get(written) ?? `authorization.rules[${index}]`;
}
