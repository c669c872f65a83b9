import { type PasswordHash, parsePasswordHash } from './password-hash.js';

/** A user who logs in with a password. */
export interface User {
  readonly name: string;
  readonly hash: PasswordHash;
  /** The hash as it is written: when it changes, the user's clients must log in again. */
  readonly written: string;
  readonly groups: readonly string[];
  /** Where it is set, no other Client Identifier may be used. */
  readonly clientIdentifier?: string | undefined;
}

export interface PasswordFile {
  readonly users: readonly User[];
  /** What is wrong, a sentence each, with the line. */
  readonly faults: readonly string[];
}

export const USER_NAME_BYTES_MAX = 1024;
/** What waits to be hashed is in memory. */
export const PASSWORD_BYTES_MAX = 4096;
/** Controls, and halves of surrogate pairs. */
const CONTROL = /[\p{Cc}\p{Cs}]/u;

/** What is wrong with a name for a user, or undefined. */
export function judgeUserName(name: string): string | undefined {
  if (name === '') return 'a user name must not be empty';
  if (name.includes(':')) return 'a user name must not have a colon, which ends it in the file';
  if (name.startsWith('#')) return 'a user name must not begin with #, which begins a comment';
  if (CONTROL.test(name)) return 'a user name must not have control characters or line ends';
  if (name !== name.trim()) return 'a user name must not begin or end with a blank';
  if (Buffer.byteLength(name) > USER_NAME_BYTES_MAX) {
    return `a user name has ${USER_NAME_BYTES_MAX} bytes at most`;
  }
  return undefined;
}

/** What is wrong with the name of a group, or undefined. */
export function judgeGroupName(name: string): string | undefined {
  if (name === '' || CONTROL.test(name) || /[:,#]/.test(name) || name !== name.trim()) {
    return `"${name}" is no name for a group: it may have no comma, colon, # or control character`;
  }
  return undefined;
}

/**
 * Reads `name:hash` or `name:hash:group,group` in each line, comments (`#`) and empty lines aside.
 * A file of `mosquitto_passwd` is one too. Lines that cannot be used are told and left out.
 */
export function parsePasswordFile(text: string, path: string): PasswordFile {
  const users = new Map<string, User>();
  const faults: string[] = [];
  text.split(/\r?\n/).forEach((line, i) => {
    if (i === 0) line = line.replace(/^\ufeff/, '');
    if (line.trim() === '' || line.startsWith('#')) return;
    const user = parseLine(line);
    const place = `${path}:${i + 1}`;
    if (typeof user === 'string') faults.push(`${place}: ${user}`);
    else if (users.has(user.name)) {
      faults.push(`${place}: the user ${user.name} is there already: remove one of the lines`);
    } else users.set(user.name, user);
  });
  return { users: [...users.values()], faults };
}

/** A user of the file or of the configuration, or a sentence that says what is wrong. */
export function newUser(name: string, written: string, groups: readonly string[]): User | string {
  const fault = judgeUserName(name) ?? groups.map(judgeGroupName).find((f) => f !== undefined);
  if (fault !== undefined) return fault;
  const hash = parsePasswordHash(written);
  return typeof hash === 'string' ? `${hash} (user ${name})` : { name, hash, written, groups };
}

function parseLine(line: string): User | string {
  const fields = line.split(':');
  const [name = '', hash = '', groups = ''] = fields;
  if (fields.length < 2 || fields.length > 3) {
    return 'expected name:hash or name:hash:groups, as "dunlin passwd" writes it';
  }
  const names = groups.split(',').map((group) => group.trim());
  return newUser(name, hash.trim(), groups.trim() === '' ? [] : names);
}

/** The text with this user's line changed, added, or removed where `hash` is undefined. */
export function withUser(
  text: string,
  name: string,
  hash: string | undefined,
  groups: readonly string[] | undefined,
): string {
  const lines = text === '' ? [] : text.replace(/\r?\n$/, '').split(/\r?\n/);
  const at = lines.findIndex((line) => line.startsWith(`${name}:`));
  const kept = groups ?? (at >= 0 ? lines[at]!.split(':')[2]?.split(',') : undefined) ?? [];
  const line = kept.length === 0 ? `${name}:${hash}` : `${name}:${hash}:${kept.join(',')}`;
  if (hash === undefined) lines.splice(at, at >= 0 ? 1 : 0);
  else if (at >= 0) lines[at] = line;
  else lines.push(line);
  return lines.map((each) => `${each}\n`).join('');
}
