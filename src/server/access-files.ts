import { readFile } from 'node:fs/promises';
import { type AccessRules, accessRules } from '../extensions/access-control/access-rules.js';
import { DynamicSecuritySource } from '../extensions/access-control/dynamic-security.js';
import type { DynamicSecurity } from '../extensions/access-control/dynamic-security-file.js';
import { readMosquittoAcl } from '../extensions/access-control/mosquitto-acl.js';
import type { Rule } from '../extensions/access-control/rule.js';
import type { RuleList } from '../extensions/access-control/rule-list.js';
import { ruleFrom } from '../extensions/access-control/written-rule.js';
import { type AuthorizationConfig, placeOfRule } from './config/authorization.js';
import { methodsOf } from './config/doors.js';
import type { Config } from './config.js';

/** Everything that `authorization` names, read. */
export interface AccessFiles {
  /** Of the configuration and of the rules file. */
  readonly rules: readonly Rule[];
  readonly mosquitto: RuleList | undefined;
  readonly dynamicSecurity: DynamicSecurity | undefined;
  /** The files as they were read: nothing has changed where these are the same. */
  readonly texts: readonly string[];
  /** Sentences, each with its place; with any of them the rules must not be used. */
  readonly faults: readonly string[];
}

/** The files that are read, for watching them. */
export function accessFilesOf(config: AuthorizationConfig): readonly string[] {
  const { rulesFile, mosquittoAclFile, dynamicSecurityFile } = config;
  return [rulesFile, mosquittoAclFile, dynamicSecurityFile].filter((file) => file !== undefined);
}

export async function readAccessFiles(config: AuthorizationConfig): Promise<AccessFiles> {
  const faults: string[] = [];
  const rules: Rule[] = [];
  const texts: string[] = [];
  config.rules.forEach((written, i) => {
    const place = placeOfRule(written, i);
    const rule = ruleFrom(written, place);
    if (typeof rule === 'string') faults.push(`${place}: ${rule}`);
    else rules.push(rule);
  });
  async function read<T extends { readonly faults: readonly string[] }>(
    file: string | undefined,
    parse: (text: string, file: string) => T | Promise<T>,
  ): Promise<T | undefined> {
    if (file === undefined) return undefined;
    try {
      const text = await readFile(file, 'utf8');
      texts.push(text);
      const result = await parse(text, file);
      faults.push(...result.faults);
      return result;
    } catch (error) {
      faults.push(`${file}: cannot be read: ${(error as Error).message}`);
      return undefined;
    }
  }
  const ruleFile = await read(config.rulesFile, async (text, file) => {
    const { readRulesFile } = await import('./rules-file.js');
    return readRulesFile(text, file);
  });
  const mosquitto = await read(config.mosquittoAclFile, readMosquittoAcl);
  const dynamicSecurity = await read(config.dynamicSecurityFile, async (text, file) => {
    const { readDynamicSecurity } = await import(
      '../extensions/access-control/dynamic-security-file.js'
    );
    return readDynamicSecurity(text, file);
  });
  rules.push(...(ruleFile?.rules ?? []));
  return { rules, mosquitto: mosquitto?.source, dynamicSecurity, texts, faults };
}

/** What is decided by; undefined where neither rules nor a way to authenticate are configured. */
export function rulesFrom(config: Config, files: AccessFiles): AccessRules | undefined {
  const { authorization } = config;
  const { rules, mosquitto, dynamicSecurity } = files;
  const isConfigured = authorization.rules.length > 0 || accessFilesOf(authorization).length > 0;
  const asks = config.listen.some((listen) => methodsOf(listen, config).length > 0);
  if (!isConfigured && !asks) return undefined;
  return accessRules({
    rules,
    imported: [
      ...(mosquitto === undefined ? [] : [mosquitto]),
      ...(dynamicSecurity === undefined ? [] : [new DynamicSecuritySource(dynamicSecurity)]),
    ],
    evaluation: authorization.evaluation,
    byDefault: isConfigured ? authorization.default : 'allow',
    wildcardSubscriptions: authorization.wildcardSubscriptions,
    deniedPublish: authorization.deniedPublish,
    revokedSubscriptions: authorization.revokedSubscriptions,
  });
}
