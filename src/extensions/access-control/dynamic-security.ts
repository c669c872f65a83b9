import { type AllowedQoS, DENIED } from '../../session/client-access.js';
import { SOURCE_ORDERS } from './access-rules.js';
import { coverageOf } from './coverage.js';
import type { Verdict } from './decision-list.js';
import type { Acl, DynamicSecurity, Group, Role } from './dynamic-security-file.js';
import { actions, Request, type Rule } from './rule.js';
import { orderedRule, RuleSet } from './rule-set.js';
import type { RuleSource } from './rule-source.js';
import type { ClientFacts } from './who.js';

/** Of users looked up: more are looked up again. */
const REMEMBERED_MAX = 10_000;

const CONTROL = '$CONTROL';

/** Which ACL types say something about a request. */
const topicTypes = {
  publishClientSend: actions['publish']!,
  publishClientReceive: Request.Receive,
} as const;

/**
 * The rules of Mosquitto's dynamic security plugin: the roles of a client by priority, then those
 * of its groups, each role's rules by priority; the first that matches decides. Subscriptions are
 * judged by their filter, messages by themselves.
 */
export class DynamicSecuritySource implements RuleSource {
  readonly #file: DynamicSecurity;
  readonly #sets = new Map<string | undefined, readonly RuleSet[]>();
  /** Of patterns that subscriptions were compared with. */
  readonly #levels = new Map<Acl, readonly string[]>();

  constructor(file: DynamicSecurity) {
    this.#file = file;
  }

  setsFor({ userName }: ClientFacts): readonly RuleSet[] {
    let sets = this.#sets.get(userName);
    if (sets === undefined) {
      const set = new RuleSet();
      let order = 2 * SOURCE_ORDERS;
      for (const acl of this.#rolesOf(userName).flatMap(({ acls }) => acls)) {
        const requests = topicTypes[acl.type as keyof typeof topicTypes];
        if (requests !== undefined) set.add(orderedRule(ruleOf(acl, requests), order++, acl.topic));
      }
      sets = set.rules.length > 0 ? [set] : [];
      if (this.#sets.size >= REMEMBERED_MAX) this.#sets.clear();
      this.#sets.set(userName, sets);
    }
    return sets;
  }

  fallback(request: Request, _facts: ClientFacts, topic: string): Verdict | undefined {
    const { publishClientSend, publishClientReceive, place } = this.#file.defaults;
    if (request === Request.Subscribe) return undefined;
    const isAllowed = request === Request.Receive ? publishClientReceive : publishClientSend;
    const type = request === Request.Receive ? 'publishClientReceive' : 'publishClientSend';
    return byDefault(isAllowed, type, place, topic);
  }

  judgeFilter(topicFilter: string, { userName }: ClientFacts): Verdict {
    const { subscribe, place } = this.#file.defaults;
    const decided = this.#judge('subscribe', topicFilter, userName);
    return decided ?? byDefault(subscribe, 'subscribe', place, topicFilter);
  }

  judgeUnsubscribe(topicFilter: string, { userName }: ClientFacts): Verdict {
    const { unsubscribe, place } = this.#file.defaults;
    const decided = this.#judge('unsubscribe', topicFilter, userName);
    return decided ?? byDefault(unsubscribe, 'unsubscribe', place, topicFilter);
  }

  #judge(
    what: 'subscribe' | 'unsubscribe',
    topicFilter: string,
    userName: string | undefined,
  ): Verdict | undefined {
    const filter = topicFilter.split('/');
    for (const { acls } of this.#rolesOf(userName)) {
      const literal = acls.find((a) => a.type === `${what}Literal` && a.topic === topicFilter);
      const acl =
        literal ?? acls.find((a) => a.type === `${what}Pattern` && this.#isWithin(filter, a));
      if (acl !== undefined) return verdictOf(acl);
    }
    return undefined;
  }

  /** Whether everything that the filter matches is matched by the pattern. */
  #isWithin(filter: readonly string[], acl: Acl): boolean {
    let levels = this.#levels.get(acl);
    if (levels === undefined) {
      levels = acl.topic.split('/');
      this.#levels.set(acl, levels);
    }
    return mayCover(levels, filter) && covers(levels, filter.join('/'));
  }

  /** In the order in which they are asked. A user that the file does not know has none. */
  #rolesOf(userName: string | undefined): readonly Role[] {
    const { clients, anonymousGroup } = this.#file;
    if (userName === undefined) return anonymousGroup?.roles ?? [];
    const client = clients.get(userName);
    if (client === undefined) return [];
    return [...client.roles, ...client.groups.flatMap((group: Group) => group.roles)];
  }
}

/**
 * False where the filter surely matches more: a look at the levels, since one SUBSCRIBE may have
 * thousands of filters, and a file as many patterns.
 */
export function mayCover(pattern: readonly string[], filter: readonly string[]): boolean {
  for (let i = 0; i < filter.length; i++) {
    const level = pattern[i];
    if (level === '#') return true;
    if (filter[i] === '#') return pattern.slice(i).every((each) => each === '+' || each === '#');
    if (level !== '+' && level !== filter[i]) return false;
  }
  return pattern.length === filter.length || pattern[filter.length] === '#';
}

function covers(levels: readonly string[], topicFilter: string): boolean {
  const judged = { topicFilter: levels.join('/'), levels, order: 0, verdict: 2 } as const;
  return coverageOf(topicFilter, [judged], DENIED).lowest !== DENIED;
}

function ruleOf(acl: Acl, requests: number): Rule {
  return {
    effect: acl.allow ? 'allow' : 'deny',
    requests,
    qosMax: 2,
    who: {},
    topics: [acl.topic],
    isVerbatim: true,
    place: acl.place,
    text: textOf(acl),
  };
}

function textOf({ allow, type, topic }: Acl): string {
  return `${allow ? 'allow' : 'deny'} ${type} ${topic}`;
}

function verdictOf(acl: Acl): Verdict {
  return { verdict: allowed(acl.allow), place: acl.place, text: textOf(acl) };
}

/** What is below `$CONTROL` is never allowed by default. */
function byDefault(isAllowed: boolean, type: string, place: string, topic: string): Verdict {
  const isControl = topic.startsWith(CONTROL);
  const text = `defaultACLAccess ${type}: ${isAllowed}`;
  return { verdict: allowed(isAllowed && !isControl), place, text };
}

function allowed(isAllowed: boolean): AllowedQoS {
  return isAllowed ? 2 : DENIED;
}
