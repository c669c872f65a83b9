import { randomInt } from 'node:crypto';
import {
  judgeGroupName,
  judgeUserName,
  PASSWORD_BYTES_MAX,
  parsePasswordFile,
  withUser,
} from '../../extensions/authentication/password-file.js';
import { hashPassword, scramHash } from '../../extensions/authentication/password-hash.js';
import { ITERATIONS_MIN, scramCredentials } from '../../extensions/scram/credentials.js';
import { ExitCode, StartError } from '../exit-code.js';
import { readSecretFile, writeSecretFile } from './secret-file.js';

export interface PasswdOptions {
  readonly delete?: boolean;
  readonly random?: boolean;
  readonly scram?: boolean;
  /** Separated by commas; empty for none. */
  readonly groups?: string;
  /** Of scrypt, as the logarithm to base 2. */
  readonly cost?: string;
  readonly iterations?: string;
}

/** Where the command reads from and writes to. */
export interface PasswdTerminal {
  /** A new password, asked for or read; undefined when the person gave up. */
  readPassword(userName: string): Promise<string | undefined>;
  /** What was asked for: a password made by chance. */
  print(line: string): void;
  /** What a person may want to know. */
  tell(line: string): void;
}

/** 24 letters of 57 that are not mistaken for others: 139 bits. */
const RANDOM_LETTERS = '23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const RANDOM_LENGTH = 24;
const COST_MIN = 10;
const COST_MAX = 17;
const ITERATIONS_MAX = 1_000_000;

/** Adds a user to a password file, sets a new password, or removes the user. */
export async function passwd(
  file: string,
  userName: string,
  options: PasswdOptions,
  terminal: PasswdTerminal,
): Promise<void> {
  const judged = judgeUserName(userName);
  if (judged !== undefined) throw usage(judged);
  const groups = groupsOf(options.groups);
  const before = await readSecretFile(file);
  const text = before ?? '';
  const known = parsePasswordFile(text, file);
  for (const fault of known.faults) terminal.tell(`warning: ${fault}`);
  const isThere = text.split(/\r?\n/).some((line) => line.startsWith(`${userName}:`));
  if (options.delete === true) {
    if (!isThere) throw usage(`there is no user ${userName} in ${file}`);
    await writeSecretFile(file, withUser(text, userName, undefined, undefined));
    terminal.tell(`removed the user ${userName} from ${file}`);
    return;
  }
  const isRandom = options.random === true;
  const password = isRandom ? randomPassword() : await terminal.readPassword(userName);
  if (password === undefined) throw new StartError(ExitCode.Failure, ['nothing was changed']);
  const hash = await hashOf(password, options);
  await writeSecretFile(file, withUser(text, userName, hash, groups));
  terminal.tell(`${isThere ? 'changed' : 'added'} the user ${userName} in ${file}`);
  if (isRandom) terminal.print(password);
}

async function hashOf(password: string, options: PasswdOptions): Promise<string> {
  if (password === '') throw usage('the password is empty: nobody would have to know it');
  if (Buffer.byteLength(password) > PASSWORD_BYTES_MAX) {
    throw usage(`a password has ${PASSWORD_BYTES_MAX} bytes at most`);
  }
  const { scram, cost, iterations } = options;
  if (scram !== true) {
    if (iterations !== undefined) throw usage('--iterations goes with --scram alone');
    return hashPassword(password, numberOf('--cost', cost, COST_MIN, COST_MAX));
  }
  if (cost !== undefined) throw usage('--cost is for scrypt: leave out --scram or --cost');
  const count = numberOf('--iterations', iterations, ITERATIONS_MIN, ITERATIONS_MAX);
  try {
    const keys = await scramCredentials(password, count === undefined ? {} : { iterations: count });
    return scramHash(keys);
  } catch (error) {
    throw usage((error as Error).message);
  }
}

function numberOf(
  flag: string,
  text: string | undefined,
  min: number,
  max: number,
): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isInteger(number) && number >= min && number <= max) return number;
  throw usage(`${flag}: expected a whole number from ${min} to ${max}, not "${text}"`);
}

function groupsOf(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined;
  const groups = text.trim() === '' ? [] : text.split(',').map((group) => group.trim());
  const fault = groups.map(judgeGroupName).find((each) => each !== undefined);
  if (fault !== undefined) throw usage(`--groups: ${fault}`);
  return groups;
}

function randomPassword(): string {
  let password = '';
  for (let i = 0; i < RANDOM_LENGTH; i++)
    password += RANDOM_LETTERS[randomInt(RANDOM_LETTERS.length)];
  return password;
}

function usage(sentence: string): StartError {
  return new StartError(ExitCode.Usage, [sentence]);
}
