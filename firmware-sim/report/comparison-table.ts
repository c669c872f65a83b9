import type { ScenarioResult } from '../scenario/run.js';
import { shownNumber } from '../scenario/telling.js';

export interface Column {
  readonly kind: string;
  readonly version: string;
  readonly setUp: string;
  readonly scenarios: readonly ScenarioResult[];
}

/**
 * Markdown: a row for each scenario, a column for each broker; below it what did not hold, and how
 * each broker was set up. `small`: scenarios that ran at a smaller scale than the others.
 */
export function comparisonTable(columns: readonly Column[], small: ReadonlySet<string>): string {
  const names = columns.map(({ kind, version }) => `${kind} ${version}`);
  const rows = columns[0]!.scenarios.map(({ number, name }, index) => {
    const cells = columns.map(({ scenarios }) => cell(scenarios[index]!));
    return line([String(number), `\`${name}\`${small.has(name) ? ' (small)' : ''}`, ...cells]);
  });
  const passed = columns.map(({ scenarios }) => {
    return `**${scenarios.filter(({ pass }) => pass).length} of ${scenarios.length}**`;
  });
  return [
    line(['#', 'scenario', ...names]),
    line(['---', '---', ...names.map(() => '---')]),
    ...rows,
    line(['', 'passed', ...passed]),
    '',
    ...columns.flatMap(failures),
    '',
    ...columns.map(({ kind, version, setUp }) => `- ${kind} ${version}: ${setUp}.`),
  ].join('\n');
}

function failures({ kind, version, scenarios }: Column): string[] {
  return scenarios.flatMap(({ name, criteria }) =>
    criteria
      .filter(({ pass }) => pass === false)
      .map(({ name: what, measured, unit, comparison, limit }) => {
        const found = `${shownNumber(measured)} ${unit}, ${comparison} ${shownNumber(limit)}`;
        return `- ${kind} ${version}, \`${name}\`: ${what}: ${found}.`;
      }),
  );
}

function cell({ pass, telling }: ScenarioResult): string {
  return `${pass ? 'pass' : '**fail**'}: ${telling.replaceAll('|', '/').replaceAll('\n', ' ')}`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
