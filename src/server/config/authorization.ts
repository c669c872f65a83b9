import { oneOf, path, text } from './values.js';
import { type Entry, key, list, optional, required, section } from './vocabulary.js';

/** Who may do what with which topics. */
export interface RuleConfig {
  readonly effect: 'allow' | 'deny';
  readonly action: 'publish' | 'subscribe' | 'all';
  readonly topics: readonly string[];
  readonly users: readonly string[] | undefined;
  readonly groups: readonly string[] | undefined;
  readonly clients: readonly string[] | undefined;
}

export interface AuthorizationConfig {
  readonly rules: readonly RuleConfig[];
  readonly rulesFile: string | undefined;
  readonly mosquittoAclFile: string | undefined;
  readonly dynamicSecurityFile: string | undefined;
  readonly evaluation: 'first' | 'last';
  readonly default: 'allow' | 'deny';
  readonly wildcardSubscriptions: 'filter' | 'refuse';
}

const rule: Entry<RuleConfig> = section<RuleConfig>({
  effect: required(oneOf('allow', 'deny'), 'Whether the rule opens or closes.'),
  action: key(oneOf('publish', 'subscribe', 'all'), 'all', 'What the rule is about.'),
  topics: required(list(text('a Topic Filter')), 'Topic Filters that the rule is about.'),
  users: optional(list(text('a user name')), 'all', 'User names that the rule is about.'),
  groups: optional(list(text('a group')), 'all', 'Groups that the rule is about.'),
  clients: optional(list(text('a Client Identifier')), 'all', 'Clients that the rule is about.'),
});

export const authorization: Entry<AuthorizationConfig> = section<AuthorizationConfig>({
  rules: key(list(rule, { emptyToo: true }), [], 'Rules, in their order.'),
  rulesFile: optional(path('a file'), 'none', 'A file with further rules.'),
  mosquittoAclFile: optional(path('a file'), 'none', "Rules in the form of Mosquitto's acl_file."),
  dynamicSecurityFile: optional(path('a file'), 'none', "Mosquitto's dynamic-security.json."),
  evaluation: key(oneOf('first', 'last'), 'first', 'Which of several matching rules decides.'),
  default: key(oneOf('allow', 'deny'), 'deny', 'What holds where rules exist and none matches.'),
  wildcardSubscriptions: key(
    oneOf('filter', 'refuse'),
    'filter',
    'What becomes of a subscription wider than what is allowed: it gets only what is, or nothing.',
  ),
});
