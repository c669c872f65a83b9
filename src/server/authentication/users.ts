import { readFile } from 'node:fs/promises';
import type { DynamicSecurityClient } from '../../extensions/access-control/dynamic-security-file.js';
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

/** Users of the password file, of Mosquitto's dynamic security and of the configuration. */
export async function readUsers(config: AuthenticationConfig): Promise<Users> {
  const { users, faults } = await readPasswordFile(config.passwordFile);
  const dynamic = await readDynamicUsers(config.dynamicSecurityFile);
  const all = new Map([...dynamic.users, ...users].map((user) => [user.name, user]));
  const further = config.users.flatMap(({ name, passwordHash, groups }, i) => {
    const place = `authentication.users[${i}]`;
    const user = newUser(name, passwordHash, groups);
    if (typeof user === 'string') return [`${place}: ${user}`];
    if (all.has(name)) return [`${place}: the user ${name} is there already`];
    all.set(name, user);
    return [];
  });
  return { users: [...all.values()], faults: [...faults, ...dynamic.faults, ...further] };
}

/** Those who are not disabled and have a password; a user of the password file goes before. */
async function readDynamicUsers(path: string | undefined): Promise<Users> {
  if (path === undefined) return { users: [], faults: [] };
  try {
    const { readDynamicSecurity } = await import(
      '../../extensions/access-control/dynamic-security-file.js'
    );
    const { clients, faults } = readDynamicSecurity(await readFile(path, 'utf8'), path);
    const users = [...clients.values()].flatMap((client) => dynamicUser(client));
    return { users, faults };
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).message;
    const sentence = `authentication.dynamic_security_file: ${path} cannot be read (${reason})`;
    return { users: [], faults: [sentence] };
  }
}

function dynamicUser(client: DynamicSecurityClient): readonly User[] {
  const { userName, password, isDisabled, clientIdentifier, groups } = client;
  if (password === undefined || isDisabled) return [];
  const [salt, hash] = [password.salt, password.hash].map((bytes) =>
    Buffer.from(bytes).toString('base64'),
  );
  const names = groups.map(({ name }) => name);
  const user = newUser(userName, `$7$${password.iterations}$${salt}$${hash}`, names);
  // Names that cannot be used here cannot log in.
  return typeof user === 'string' ? [] : [{ ...user, clientIdentifier }];
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
