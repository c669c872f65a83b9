import { readFile } from 'node:fs/promises';
import {
  newUser,
  parsePasswordFile,
  type User,
} from '../../extensions/authentication/password-file.js';
import type { AuthenticationConfig } from '../config/authentication.js';

export interface Users {
  readonly users: readonly User[];
  /** What is wrong with the file or the configuration, a sentence each. */
  readonly faults: readonly string[];
}

/** Users of the password file and of the configuration. */
export async function readUsers(config: AuthenticationConfig): Promise<Users> {
  const { users, faults } = await readPasswordFile(config.passwordFile);
  const all = new Map(users.map((user) => [user.name, user]));
  const further = config.users.flatMap(({ name, passwordHash, groups }, i) => {
    const place = `authentication.users[${i}]`;
    const user = newUser(name, passwordHash, groups);
    if (typeof user === 'string') return [`${place}: ${user}`];
    if (all.has(name)) return [`${place}: the user ${name} is there already`];
    all.set(name, user);
    return [];
  });
  return { users: [...all.values()], faults: [...faults, ...further] };
}

async function readPasswordFile(path: string | undefined): Promise<Users> {
  if (path === undefined) return { users: [], faults: [] };
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).message;
    const sentence =
      `authentication.password_file: ${path} cannot be read (${reason}); ` +
      `"dunlin passwd ${path} NAME" makes it and a user in it`;
    return { users: [], faults: [sentence] };
  }
  return parsePasswordFile(text, path);
}
