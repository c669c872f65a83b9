import { isMap, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { faultOf } from './topic-pattern.js';

const TYPES = [
  'publishClientSend',
  'publishClientReceive',
  'subscribeLiteral',
  'subscribePattern',
  'unsubscribeLiteral',
  'unsubscribePattern',
] as const;

export interface Acl {
  readonly type: (typeof TYPES)[number];
  readonly topic: string;
  readonly allow: boolean;
  readonly priority: number;
  readonly place: string;
}

export interface Role {
  readonly name: string;
  /** By priority, the highest first. */
  readonly acls: readonly Acl[];
}

export interface Group {
  readonly name: string;
  readonly roles: readonly Role[];
}

/** PBKDF2 with SHA-512, as the plugin keeps a password. */
export interface DynamicSecurityPassword {
  readonly hash: Uint8Array;
  readonly salt: Uint8Array;
  readonly iterations: number;
}

export interface DynamicSecurityClient {
  readonly userName: string;
  /** Where it is set, the client must use this Client Identifier. */
  readonly clientIdentifier: string | undefined;
  readonly isDisabled: boolean;
  readonly password: DynamicSecurityPassword | undefined;
  readonly roles: readonly Role[];
  readonly groups: readonly Group[];
}

export interface DynamicSecurity {
  readonly clients: ReadonlyMap<string, DynamicSecurityClient>;
  readonly anonymousGroup: Group | undefined;
  readonly defaults: {
    readonly publishClientSend: boolean;
    readonly publishClientReceive: boolean;
    readonly subscribe: boolean;
    readonly unsubscribe: boolean;
    readonly place: string;
  };
  /** Sentences, each with file and line. A file with faults must not be used. */
  readonly faults: readonly string[];
}

/** The JSON file of Mosquitto's dynamic security plugin. */
export function readDynamicSecurity(text: string, file: string): DynamicSecurity {
  return new FileReader(text, file).read();
}

class FileReader {
  readonly #faults: string[] = [];
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #top: Node | null;
  readonly #roles = new Map<string, Role>();
  readonly #groups = new Map<string, Group>();

  constructor(text: string, file: string) {
    this.#file = file;
    const document = parseDocument(text, { lineCounter: this.#lines });
    this.#top = document.contents as Node | null;
    for (const { message, pos } of document.errors) {
      this.#faults.push(`${this.#placeAt(pos[0])}: ${message.split('\n')[0]}`);
    }
  }

  read(): DynamicSecurity {
    if (!isMap(this.#top)) {
      this.#faults.push(`${this.#file}: expected the JSON file of the dynamic security plugin`);
    }
    for (const entry of this.#list(this.#top, 'roles')) this.#role(entry);
    for (const entry of this.#list(this.#top, 'groups')) this.#group(entry);
    const groupsOf = this.#memberships();
    const clients = new Map<string, DynamicSecurityClient>();
    for (const entry of this.#list(this.#top, 'clients')) {
      const client = this.#client(entry, groupsOf);
      if (client !== undefined && !clients.has(client.userName))
        clients.set(client.userName, client);
    }
    const anonymous = textOf(this.#top, 'anonymousGroup');
    return {
      clients,
      anonymousGroup: anonymous === undefined ? undefined : this.#groups.get(anonymous),
      defaults: this.#defaults(),
      faults: this.#faults,
    };
  }

  #defaults(): DynamicSecurity['defaults'] {
    const node = nodeOf(this.#top, 'defaultACLAccess');
    const isAllowed = (type: string): boolean => plainOf(node, type) === true;
    return {
      publishClientSend: isAllowed('publishClientSend'),
      publishClientReceive: isAllowed('publishClientReceive'),
      subscribe: isAllowed('subscribe'),
      unsubscribe: isAllowed('unsubscribe'),
      place: this.#place(node),
    };
  }

  #role(node: Node): void {
    const name = textOf(node, 'rolename');
    if (name === undefined) {
      this.#fault(node, 'a role needs a rolename');
      return;
    }
    const acls: Acl[] = [];
    for (const entry of this.#list(node, 'acls')) {
      const type = TYPES.find((known) => known === plainOf(entry, 'acltype'));
      const topic = textOf(entry, 'topic');
      if (type === undefined) this.#fault(entry, `acltype must be one of ${TYPES.join(', ')}`);
      else if (topic === undefined) this.#fault(entry, 'an ACL needs a topic');
      else {
        const fault = topic.startsWith('$share/') ? undefined : faultOf(topic);
        if (fault !== undefined) this.#fault(entry, fault);
        const allow = plainOf(entry, 'allow') === true;
        const place = this.#place(entry);
        acls.push({ type, topic, allow, priority: priorityOf(entry), place });
      }
    }
    this.#roles.set(name, { name, acls: byPriority(acls) });
  }

  #group(node: Node): void {
    const name = textOf(node, 'groupname');
    if (name === undefined) {
      this.#fault(node, 'a group needs a groupname');
      return;
    }
    this.#groups.set(name, { name, roles: this.#named(node, 'roles', 'rolename', this.#roles) });
  }

  /** Groups list their members; a client is asked by its own groups in order of priority. */
  #memberships(): ReadonlyMap<string, readonly { group: Group; priority: number }[]> {
    const groupsOf = new Map<string, { group: Group; priority: number }[]>();
    for (const node of this.#list(this.#top, 'groups')) {
      const group = this.#groups.get(textOf(node, 'groupname') ?? '');
      if (group === undefined) continue;
      for (const member of this.#list(node, 'clients')) {
        const userName = textOf(member, 'username') ?? '';
        const groups = groupsOf.get(userName) ?? [];
        groups.push({ group, priority: priorityOf(member) });
        groupsOf.set(userName, groups);
      }
    }
    return groupsOf;
  }

  #client(
    node: Node,
    groupsOf: ReadonlyMap<string, readonly { group: Group; priority: number }[]>,
  ): DynamicSecurityClient | undefined {
    const userName = textOf(node, 'username');
    if (userName === undefined) {
      this.#fault(node, 'a client needs a username');
      return undefined;
    }
    const own = this.#list(node, 'groups').flatMap((entry) => {
      const group = this.#groups.get(textOf(entry, 'groupname') ?? '');
      return group === undefined ? [] : [{ group, priority: priorityOf(entry) }];
    });
    const listed = (groupsOf.get(userName) ?? []).filter(
      ({ group }) => !own.some((entry) => entry.group === group),
    );
    const groups = [...own, ...listed].sort(
      (a, b) => b.priority - a.priority || compare(a.group.name, b.group.name),
    );
    return {
      userName,
      clientIdentifier: textOf(node, 'clientid'),
      isDisabled: plainOf(node, 'disabled') === true,
      password: passwordOf(node),
      roles: this.#named(node, 'roles', 'rolename', this.#roles),
      groups: groups.map(({ group }) => group),
    };
  }

  /** What a list of names with priorities stands for, the highest first. */
  #named<T extends { readonly name: string }>(
    node: Node,
    list: string,
    key: string,
    known: ReadonlyMap<string, T>,
  ): readonly T[] {
    const found: { value: T; priority: number }[] = [];
    for (const entry of this.#list(node, list)) {
      const name = textOf(entry, key);
      const value = name === undefined ? undefined : known.get(name);
      if (value === undefined) this.#fault(entry, `there is no ${key} "${name ?? ''}"`);
      else found.push({ value, priority: priorityOf(entry) });
    }
    found.sort((a, b) => b.priority - a.priority || compare(a.value.name, b.value.name));
    return found.map(({ value }) => value);
  }

  #list(node: Node | null | undefined, key: string): readonly Node[] {
    const list = nodeOf(node, key);
    if (list === undefined) return [];
    if (isSeq(list)) return list.items as Node[];
    this.#fault(list, `${key} must be a list`);
    return [];
  }

  #fault(node: Node, sentence: string): void {
    this.#faults.push(`${this.#place(node)}: ${sentence}`);
  }

  #place(node: Node | undefined): string {
    return node?.range ? this.#placeAt(node.range[0]) : this.#file;
  }

  #placeAt(offset: number): string {
    return `${this.#file}:${this.#lines.linePos(offset).line}`;
  }
}

function nodeOf(node: Node | null | undefined, key: string): Node | undefined {
  return isMap(node)
    ? ((node as YAMLMap<unknown, Node>).get(key, true) as Node | undefined)
    : undefined;
}

function plainOf(node: Node | null | undefined, key: string): unknown {
  return nodeOf(node, key)?.toJSON() as unknown;
}

function textOf(node: Node | null | undefined, key: string): string | undefined {
  const value = plainOf(node, key);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** As the plugin has it where none is written. */
function priorityOf(node: Node): number {
  const value = plainOf(node, 'priority');
  return typeof value === 'number' ? value : -1;
}

function byPriority(acls: readonly Acl[]): readonly Acl[] {
  return acls.toSorted((one, other) => other.priority - one.priority);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

function passwordOf(node: Node): DynamicSecurityPassword | undefined {
  const hash = textOf(node, 'password');
  const salt = textOf(node, 'salt');
  const iterations = plainOf(node, 'iterations');
  if (hash === undefined || salt === undefined || typeof iterations !== 'number') return undefined;
  if (!Number.isInteger(iterations) || iterations < 1) return undefined;
  return { hash: Buffer.from(hash, 'base64'), salt: Buffer.from(salt, 'base64'), iterations };
}
