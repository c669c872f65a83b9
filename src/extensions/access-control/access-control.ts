import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import type { AccessControl } from '../../broker/access-control.js';
import type { ClientView } from '../../broker/hooks.js';
import type { ClientAccess } from '../../session/client-access.js';
import type { Statistics } from '../../session/statistics.js';
import type { AccessRules } from './access-rules.js';
import { hostOf } from './address-set.js';
import { DenialLog } from './denial-log.js';
import { PermissionRules } from './permissions.js';
import { RuledAccess } from './ruled-access.js';
import { SearchBudget } from './search-budget.js';
import type { ClientFacts } from './who.js';

/** The listener of clients inside the process. */
export const IN_PROCESS = 'local';

/** Rules of who may do what; without any, only clients are judged whose token names topics. */
export class RuleControl implements AccessControl {
  readonly disconnectsDenied: boolean;
  readonly disconnectsRevoked: boolean;
  readonly #rules: AccessRules | undefined;
  readonly #denials: DenialLog;
  readonly #clock: Clock;

  constructor(parts: {
    readonly rules: AccessRules | undefined;
    readonly log: Logger;
    readonly clock: Clock;
    readonly statistics: Statistics;
  }) {
    this.#rules = parts.rules;
    this.#clock = parts.clock;
    this.disconnectsDenied = parts.rules?.deniedPublish === 'disconnect';
    this.disconnectsRevoked = parts.rules?.revokedSubscriptions === 'disconnect';
    this.#denials = new DenialLog(parts.log, parts.clock, parts.statistics);
  }

  enter(client: ClientView): ClientAccess | undefined {
    // The program that the broker runs in needs no rule for itself; who gives a name is judged.
    if (client.listener === IN_PROCESS && client.userName === undefined) return undefined;
    const facts = factsOf(client);
    const permissions = client.identity?.permissions;
    const token = permissions && new PermissionRules(permissions, facts);
    return this.#access(facts, token);
  }

  restored(clientIdentifier: string, userName: string | undefined): ClientAccess | undefined {
    const unknown = { groups: [], host: '', listener: '', claims: {}, isComplete: false };
    return this.#access({ ...unknown, clientIdentifier, userName }, undefined);
  }

  renewed(access: ClientAccess): ClientAccess | undefined {
    return access instanceof RuledAccess ? this.#access(access.facts, access.token) : access;
  }

  #access(facts: ClientFacts, token: PermissionRules | undefined): ClientAccess | undefined {
    if (this.#rules === undefined && token === undefined) return undefined;
    const budget = new SearchBudget(this.#clock);
    return new RuledAccess(facts, this.#rules ?? NO_RULES, token, this.#denials, budget);
  }
}

/** What is asked about where a token alone speaks of topics. */
const NO_RULES: AccessRules = {
  sources: [],
  fallback: () => ({ verdict: 2, place: 'default', text: 'no rules are configured' }),
  wildcardSubscriptions: 'filter',
  deniedPublish: 'drop',
  revokedSubscriptions: 'remove',
};

export function factsOf(client: ClientView): ClientFacts {
  const { userName, clientIdentifier, listener, identity } = client;
  return {
    userName,
    clientIdentifier,
    groups: identity?.groups ?? [],
    host: hostOf(client.address),
    listener,
    claims: identity?.claims ?? {},
    isComplete: true,
  };
}
