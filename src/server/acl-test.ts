import { silentLogger } from '../base/log.js';
import type { Verdict } from '../extensions/access-control/decision-list.js';
import { DenialLog } from '../extensions/access-control/denial-log.js';
import { Request } from '../extensions/access-control/rule.js';
import { RuledAccess } from '../extensions/access-control/ruled-access.js';
import type { ClientFacts } from '../extensions/access-control/who.js';
import { DENIED } from '../session/client-access.js';
import { Statistics } from '../session/statistics.js';
import { parseTopicFilter } from '../topic/topic-filter.js';
import { isTopicName } from '../topic/topic-name.js';
import { urlOf } from '../transport/listener.js';
import { readAccessFiles, rulesFrom } from './access-files.js';
import { readUsers } from './authentication/users.js';
import type { Config } from './config.js';
import type { Flags } from './config-source.js';
import { ExitCode, StartError } from './exit-code.js';
import { loadConfig } from './load-config.js';

export interface AclTestOptions {
  readonly user?: string;
  readonly client?: string;
  readonly group?: readonly string[];
  readonly address?: string;
  readonly listener?: string;
  readonly claim?: readonly string[];
  readonly qos?: string;
  readonly retain?: boolean;
}

export interface AclAnswer {
  readonly isAllowed: boolean;
  readonly sentence: string;
}

type Action = 'publish' | 'subscribe' | 'receive';

const LIMITS = { topicLevelsMax: 65_536, topicBytesMax: 65_535 };
const NOBODY_COUNTS = { nowMs: 0, wallMs: () => 0 };

/**
 * What the rules say to one request, and which rule decides. Rejects with a `StartError` where
 * configuration, rules or the request itself are wrong.
 */
export async function testAcl(
  flags: Flags,
  environment: NodeJS.ProcessEnv,
  action: string,
  topic: string,
  options: AclTestOptions,
): Promise<AclAnswer> {
  const asked = judgeAction(action, topic);
  const qos = judgeQoS(options.qos);
  const config = await loadConfig(flags, environment);
  const files = await readAccessFiles(config.authorization);
  if (files.faults.length > 0) throw new StartError(ExitCode.Usage, files.faults);
  const rules = rulesFrom(config, files);
  const facts = await factsFrom(options, config);
  const who = facts.userName === undefined ? 'without user name' : `of user ${facts.userName}`;
  const client = `client ${facts.clientIdentifier} ${who}`;
  if (rules === undefined) {
    const why = 'neither rules nor a way to authenticate are configured';
    return { isAllowed: true, sentence: `allowed: ${client} may ${asked} ${topic}: ${why}` };
  }
  const denials = new DenialLog(silentLogger, NOBODY_COUNTS, new Statistics());
  const access = new RuledAccess(facts, rules, undefined, denials);
  if (asked === 'subscribe') {
    const filter = parseTopicFilter(topic, LIMITS)!.topicFilter;
    const { isPartial } = access.judge(filter);
    return answer(client, asked, topic, access.explainFilter(filter), 0, isPartial);
  }
  const published = options.retain === true ? Request.PublishRetained : Request.Publish;
  const verdict = access.explain(asked === 'receive' ? Request.Receive : published, topic);
  return answer(client, asked, topic, verdict, qos, false);
}

function answer(
  client: string,
  action: Action,
  topic: string,
  { verdict, place, text }: Verdict,
  qos: number,
  isPartial: boolean,
): AclAnswer {
  const isAllowed = verdict !== DENIED && qos <= verdict;
  const to = action === 'receive' ? 'receive' : `${action} to`;
  const may = isAllowed ? 'may' : 'may not';
  const limit = verdict === DENIED || verdict === 2 ? '' : ` (up to QoS ${verdict})`;
  const part = isAllowed && isPartial ? ', but not all that it matches: the rest is left out' : '';
  const word = isAllowed ? 'allowed' : 'denied';
  const sentence = `${word}: ${client} ${may} ${to} ${topic}${limit}${part}; ${place}: ${text}`;
  return { isAllowed, sentence };
}

function judgeAction(action: string, topic: string): Action {
  if (action !== 'publish' && action !== 'subscribe' && action !== 'receive') {
    throw usage(`expected publish, subscribe or receive, not "${action}"`);
  }
  const isRight =
    action === 'subscribe'
      ? parseTopicFilter(topic, LIMITS) !== undefined
      : isTopicName(topic, LIMITS);
  if (isRight) return action;
  throw usage(`"${topic}" is no ${action === 'subscribe' ? 'Topic Filter' : 'Topic Name'}`);
}

function judgeQoS(written = '0'): number {
  if (!/^[012]$/.test(written)) throw usage(`--qos is 0, 1 or 2, not "${written}"`);
  return Number(written);
}

/** Groups that are not named are those of the user in password file and configuration. */
async function factsFrom(options: AclTestOptions, config: Config): Promise<ClientFacts> {
  const { user, client = 'test', group, address = '127.0.0.1' } = options;
  const listener = options.listener ?? urlOf(config.listen[0]!.url);
  const known = group === undefined ? await readUsers(config.authentication) : undefined;
  const claims = (options.claim ?? []).map((written) => {
    const equals = written.indexOf('=');
    if (equals < 1) throw usage(`--claim is name=value, not "${written}"`);
    return [written.slice(0, equals), written.slice(equals + 1)] as const;
  });
  return {
    userName: user,
    clientIdentifier: client,
    groups: group ?? known?.users.find(({ name }) => name === user)?.groups ?? [],
    host: address,
    listener,
    claims: Object.fromEntries(claims),
    isComplete: true,
  };
}

function usage(sentence: string): StartError {
  return new StartError(ExitCode.Usage, [sentence]);
}
