import { isIP } from 'node:net';
import type { SetupPlan } from './plan.js';

export function splitNames(line: string): string[] {
  return line.split(/[\s,]+/).filter((name) => name !== '');
}

/** What is wrong with the names, in a sentence. */
export function judgeNames(
  names: readonly string[],
  certificates: SetupPlan['certificates'],
): string | undefined {
  if (names.length === 0) return 'expected at least one name, such as broker.home';
  const strange = names.find(
    (name) => isIP(name) === 0 && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(name),
  );
  if (strange !== undefined) return `"${strange}" is neither a host name nor an address`;
  const address = names.find((name) => isIP(name) !== 0 || !name.includes('.'));
  return certificates === 'acme' && address !== undefined
    ? `public authorities give no certificate for "${address}": expected a public name`
    : undefined;
}
