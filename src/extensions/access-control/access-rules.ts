import { DENIED } from '../../session/client-access.js';
import type { Verdict } from './decision-list.js';
import { actions, type Request, type Rule } from './rule.js';
import { type Evaluation, RuleList } from './rule-list.js';
import type { RuleSource } from './rule-source.js';
import type { ClientFacts } from './who.js';

/** What a wildcard subscription gets that covers more than is allowed. */
export type WildcardSubscriptions = 'filter' | 'refuse';

/** A PUBLISH that is denied and that the protocol has no answer for. */
export type DeniedPublish = 'drop' | 'disconnect';
/** What becomes of a client's connection when rules take a Subscription from it. */
export type RevokedSubscriptions = 'remove' | 'disconnect';

/** All there is to decide by: replaced as a whole when something of it changes. */
export interface AccessRules {
  /** In the order in which they are asked. */
  readonly sources: readonly RuleSource[];
  /** What no rule decides. */
  fallback(request: Request, facts: ClientFacts, topic: string): Verdict;
  readonly wildcardSubscriptions: WildcardSubscriptions;
  readonly deniedPublish: DeniedPublish;
  readonly revokedSubscriptions: RevokedSubscriptions;
}

/** Orders of one source; none has as many rules. */
export const SOURCE_ORDERS = 100_000_000;

export interface AccessRuleOptions {
  /** As written, rules of a file behind those of the configuration. */
  readonly rules: readonly Rule[];
  readonly evaluation: Evaluation;
  /** Asked behind `rules`, in this order. */
  readonly imported: readonly RuleSource[];
  /** What holds where no rule decides. */
  readonly byDefault: 'allow' | 'deny';
  readonly wildcardSubscriptions: WildcardSubscriptions;
  readonly deniedPublish: DeniedPublish;
  readonly revokedSubscriptions: RevokedSubscriptions;
}

const DENIED_BY_DEFAULT: Verdict = {
  verdict: DENIED,
  place: 'default',
  text: 'no rule allows it',
};
const ALLOWED_BY_DEFAULT: Verdict = { verdict: 2, place: 'default', text: 'no rule denies it' };

/** Topics that tell about the broker: nobody publishes there unless a rule says so. */
const systemTopics: Rule = {
  effect: 'deny',
  requests: actions['publish']!,
  qosMax: 2,
  who: {},
  topics: ['$SYS', '$SYS/#'],
  place: 'built in',
  text: 'deny publish $SYS/#',
};

export function accessRules(options: AccessRuleOptions): AccessRules {
  const own = new RuleList(options.rules, options.evaluation);
  const builtIn = new RuleList([systemTopics], 'first', Number.MAX_SAFE_INTEGER - 1);
  const byDefault = options.byDefault === 'allow' ? ALLOWED_BY_DEFAULT : DENIED_BY_DEFAULT;
  return {
    sources: [own, ...options.imported, builtIn],
    fallback: () => byDefault,
    wildcardSubscriptions: options.wildcardSubscriptions,
    deniedPublish: options.deniedPublish,
    revokedSubscriptions: options.revokedSubscriptions,
  };
}
