import type { ScenarioResult } from '../scenario/run.js';

export interface Column {
  readonly kind: string;
  readonly version: string;
  readonly setUp: string;
  readonly scenarios: readonly ScenarioResult[];
}

/** Markdown: a row for each scenario, a column for each broker, and below how each was set up. */
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
    ...columns.map(({ kind, version, setUp }) => `${kind} ${version}: ${setUp}.`),
  ].join('\n');
}

function cell({ pass, telling }: ScenarioResult): string {
  return `${pass ? 'pass' : '**fail**'}: ${telling.replaceAll('|', '/').replaceAll('\n', ' ')}`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
