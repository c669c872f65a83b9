import type { User } from './password-file.js';
import type { ScramKeys } from './password-hash.js';

/** Users who log in with a password, from the file and from the configuration. */
export class UserDirectory {
  #users: ReadonlyMap<string, User> = new Map();
  #list: readonly User[] = [];

  get size(): number {
    return this.#list.length;
  }

  /** The one who is there for the longest time, as a rule. */
  get first(): User | undefined {
    return this.#list[0];
  }

  find(name: string): User | undefined {
    return this.#users.get(name);
  }

  /**
   * Whose hash to try for a name that is nobody's: the same at each attempt, and each kind of hash
   * as often as there are users who have it.
   */
  standInFor(name: string): User | undefined {
    let mixed = 0;
    for (let i = 0; i < name.length; i++) mixed = (Math.imul(mixed, 31) + name.charCodeAt(i)) >>> 0;
    return this.#list[mixed % this.#list.length];
  }

  scramKeys(name: string): ScramKeys | undefined {
    const hash = this.#users.get(name)?.hash;
    return hash?.kind === 'scram-sha-256' ? hash : undefined;
  }

  /**
   * What SCRAM tells unknown users: the iterations of most of those who are there; undefined where
   * nobody has SCRAM keys.
   */
  get scramIterations(): number | undefined {
    const counts = new Map<number, number>();
    for (const { hash } of this.#list) {
      if (hash.kind !== 'scram-sha-256') continue;
      counts.set(hash.iterations, (counts.get(hash.iterations) ?? 0) + 1);
    }
    return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
  }

  /** Takes these users in place of the last ones; returns who is gone, new or changed. */
  replace(users: readonly User[]): ReadonlySet<string> {
    const before = this.#users;
    this.#list = users;
    this.#users = new Map(users.map((user) => [user.name, user]));
    const names = new Set([...before.keys(), ...this.#users.keys()]);
    const isChanged = (name: string): boolean => !isSame(before.get(name), this.#users.get(name));
    return new Set([...names].filter(isChanged));
  }
}

function isSame(old: User | undefined, now: User | undefined): boolean {
  return (
    old?.written === now?.written &&
    old?.groups.join() === now?.groups.join() &&
    old?.clientIdentifier === now?.clientIdentifier
  );
}
