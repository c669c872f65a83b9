import { RuleControl } from '../../../src/extensions/access-control/access-control.js';
import {
  type AccessRuleOptions,
  accessRules,
} from '../../../src/extensions/access-control/access-rules.js';
import type { Rule } from '../../../src/extensions/access-control/rule.js';
import { ruleFrom } from '../../../src/extensions/access-control/written-rule.js';
import type { BrokerWorld } from '../../broker/broker-world.js';
import { recordingLogger } from '../../broker/recording-logger.js';

export function rulesOf(lines: readonly string[]): readonly Rule[] {
  return lines.map((rule, i) => {
    const result = ruleFrom({ rule }, `rules.yaml:${i + 1}`);
    if (typeof result === 'string') throw new Error(`${rule}: ${result}`);
    return result;
  });
}

export function optionsOf(
  lines: readonly string[],
  more: Partial<AccessRuleOptions> = {},
): AccessRuleOptions {
  return {
    rules: rulesOf(lines),
    evaluation: 'first',
    imported: [],
    byDefault: 'deny',
    wildcardSubscriptions: 'filter',
    deniedPublish: 'drop',
    revokedSubscriptions: 'remove',
    ...more,
  };
}

/** Puts the rules in force; the next ones take their place. */
export function useRules(
  world: BrokerWorld,
  lines: readonly string[],
  more: Partial<AccessRuleOptions> = {},
): void {
  world.broker.access.change(
    new RuleControl({
      rules: accessRules(optionsOf(lines, more)),
      log: recordingLogger(world.log),
      clock: world.time,
      statistics: world.broker.statistics,
    }),
  );
}
