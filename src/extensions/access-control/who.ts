import { type BlockList, isIP } from 'node:net';

/** What is known of a client when its rules are looked up. */
export interface ClientFacts {
  readonly userName: string | undefined;
  readonly clientIdentifier: string;
  readonly groups: readonly string[];
  /** The remote host without port. */
  readonly host: string;
  readonly listener: string;
  readonly claims: Readonly<Record<string, unknown>>;
  /**
   * False for a Session read from disk, whose client is away: groups, claims, address and listener
   * are not known. What allows by them is taken to match then, what denies by them not to.
   */
  readonly isComplete: boolean;
}

/** Names as rules have them; `*` in a name stands for any characters. */
export interface NameSet {
  readonly exact: ReadonlySet<string>;
  readonly globs: readonly string[];
}

/** Whom a rule is about: all conditions that are there must hold. */
export interface Who {
  readonly users?: NameSet;
  readonly clients?: NameSet;
  readonly groups?: NameSet;
  readonly addresses?: AddressSet;
  readonly listeners?: NameSet;
  readonly anonymous?: boolean;
  /** Neither user name nor Client Identifier has `+` or `#`: Mosquitto's patterns ask this. */
  readonly plainNames?: boolean;
}

export interface AddressSet {
  readonly written: readonly string[];
  readonly list: BlockList;
}

export function nameSet(names: readonly string[], withGlobs = true): NameSet {
  const isGlob = (name: string): boolean => withGlobs && name.includes('*');
  return {
    exact: new Set(names.filter((name) => !isGlob(name))),
    globs: names.filter(isGlob),
  };
}

/** Whether the rule is about this client. */
export function isAbout(who: Who, facts: ClientFacts, allows: boolean): boolean {
  const { userName, clientIdentifier } = facts;
  if (who.anonymous !== undefined && who.anonymous !== (userName === undefined)) return false;
  if (who.users !== undefined && (userName === undefined || !hasName(who.users, userName))) {
    return false;
  }
  if (who.clients !== undefined && !hasName(who.clients, clientIdentifier)) return false;
  if (who.plainNames === true && /[+#]/.test(`${userName ?? ''}${clientIdentifier}`)) return false;
  const asksMore = who.groups ?? who.addresses ?? who.listeners;
  if (asksMore === undefined) return true;
  if (!facts.isComplete) return allows;
  const { groups, addresses, listeners } = who;
  if (groups !== undefined && !facts.groups.some((group) => hasName(groups, group))) return false;
  if (addresses !== undefined && !hasAddress(addresses, facts.host)) return false;
  return listeners === undefined || hasName(listeners, facts.listener);
}

function hasName({ exact, globs }: NameSet, name: string): boolean {
  return exact.has(name) || globs.some((glob) => matchesGlob(glob, name));
}

function hasAddress({ list }: AddressSet, host: string): boolean {
  const version = isIP(host);
  return version > 0 && list.check(host, version === 4 ? 'ipv4' : 'ipv6');
}

/** The first place where each part fits is as good as any other, so nothing is tried twice. */
export function matchesGlob(glob: string, name: string): boolean {
  const parts = glob.split('*');
  const first = parts.shift()!;
  const last = parts.pop();
  if (last === undefined) return glob === name;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let at = first.length;
  for (const part of parts) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= end;
}
