import { silentLogger } from '../../base/log.js';
import { DenialLog } from '../../extensions/access-control/denial-log.js';
import { Request, type Rule } from '../../extensions/access-control/rule.js';
import { RuledAccess } from '../../extensions/access-control/ruled-access.js';
import { shadowedRules } from '../../extensions/access-control/shadowed-rules.js';
import { DENIED } from '../../session/client-access.js';
import { Statistics } from '../../session/statistics.js';
import { urlOf } from '../../transport/listener.js';
import { type AccessFiles, readAccessFiles, rulesFrom } from '../access-files.js';
import { readUsers } from '../authentication/users.js';
import { letsAnonymousIn, methodsOf } from '../config/doors.js';
import type { Config } from '../config.js';
import { isInClear } from './authentication.js';
import type { Finding } from './finding.js';

const PLACE = 'authorization';

/** Rules that cannot be read, or that never decide, and what they open to strangers. */
export async function checkAccess(config: Config): Promise<readonly Finding[]> {
  const files = await readAccessFiles(config.authorization);
  if (files.faults.length > 0) {
    return files.faults.map((sentence) => ({ severity: 'error', place: PLACE, sentence }));
  }
  return [
    ...callOut(config),
    ...shadowed(config, files.rules),
    ...(await strangers(config, files.rules)),
    ...openToAnonymous(config, files),
    ...claimedNames(config, files.rules),
  ];
}

function callOut({ authorization: { http } }: Config): readonly Finding[] {
  if (http === undefined || !isInClear(http.url)) return [];
  const sentence =
    'who changes its answers on the way decides what clients may do: use https:// in the URL';
  return [{ severity: 'warning', place: `${PLACE}.http.url`, sentence }];
}

function shadowed(config: Config, rules: readonly Rule[]): readonly Finding[] {
  const isFirst = config.authorization.evaluation === 'first';
  return shadowedRules(isFirst ? rules : rules.toReversed()).map(({ rule, by }) =>
    warning(
      `${rule.place}: "${rule.text}" never decides: ${by.place} "${by.text}" does ` +
        `(${isFirst ? 'the first' : 'the last'} rule that matches counts)`,
    ),
  );
}

/** Where all users are known by name, a rule about another one is probably a slip. */
async function strangers(config: Config, rules: readonly Rule[]): Promise<readonly Finding[]> {
  const methods = new Set(config.listen.flatMap((listen) => methodsOf(listen, config)));
  const isClosed = [...methods].every((name) => name === 'password_file' || name === 'scram');
  if (methods.size === 0 || !isClosed) return [];
  const { users, faults } = await readUsers(config.authentication);
  if (faults.length > 0) return [];
  const names = new Set(users.map(({ name }) => name));
  const groups = new Set(users.flatMap((user) => user.groups));
  return rules.flatMap(({ who, place }) => [
    ...unknown(who.users?.exact, names).map((name) =>
      warning(`${place}: there is no user ${name} in the password file or the configuration`),
    ),
    ...unknown(who.groups?.exact, groups).map((name) =>
      warning(`${place}: no user is in the group ${name}`),
    ),
  ]);
}

function unknown(written: ReadonlySet<string> | undefined, known: ReadonlySet<string>): string[] {
  return [...(written ?? [])].filter((name) => !known.has(name));
}

/** A user name that nobody proves is what the client says it is. */
function claimedNames(config: Config, rules: readonly Rule[]): readonly Finding[] {
  const named = rules.find(({ who }) => who.users !== undefined || who.groups !== undefined);
  if (named === undefined) return [];
  return config.listen.flatMap((listen, i) => {
    if (methodsOf(listen, config).length > 0) return [];
    const sentence =
      `${urlOf(listen.url)} asks nobody for a password: any client can give the user name ` +
      `that ${named.place} "${named.text}" is about`;
    return [{ severity: 'warning' as const, place: `listen[${i}]`, sentence }];
  });
}

/** On each listener that lets clients in without a user name. */
function openToAnonymous(config: Config, files: AccessFiles): readonly Finding[] {
  const rules = rulesFrom(config, files);
  if (rules === undefined) return [];
  const denials = new DenialLog(silentLogger, { nowMs: 0, wallMs: () => 0 }, new Statistics());
  return config.listen.flatMap((listen, i) => {
    if (!letsAnonymousIn(listen, config)) return [];
    const facts = {
      userName: undefined,
      clientIdentifier: 'anybody',
      groups: [],
      host: '',
      listener: urlOf(listen.url),
      claims: {},
      isComplete: true,
    };
    const access = new RuledAccess(facts, rules, undefined, denials);
    const publish = access.rangeOf(Request.Publish, '#');
    const subscribe = access.judge('#');
    const reads = extent(subscribe.qosMax === DENIED, subscribe.isPartial);
    const isNothing = publish.highest.verdict === DENIED;
    const writes = extent(isNothing, publish.lowest.verdict < publish.highest.verdict);
    if (reads === 'nothing' && writes === 'nothing') return [];
    const place = `listen[${i}]`;
    const sentence = `who gives no user name may read ${reads} and write ${writes} here`;
    return [{ severity: 'warning' as const, place, sentence }];
  });
}

function extent(isNothing: boolean, isPart: boolean): string {
  if (isNothing) return 'nothing';
  return isPart ? 'some topics' : 'every topic';
}

function warning(sentence: string): Finding {
  return { severity: 'warning', place: PLACE, sentence };
}
