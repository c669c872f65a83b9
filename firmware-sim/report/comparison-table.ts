import type { ScenarioResult } from '../scenario/run.js';
import { shownNumber } from '../scenario/telling.js';

export interface Column {
  readonly kind: string;
  readonly version: string;
  readonly setUp: string;
  readonly scenarios: readonly ScenarioResult[];
}

/** One run of a comparison, as its JSON report has it. */
export interface ComparisonReport {
  readonly brokers: readonly Column[];
  /** Names of scenarios that ran at a smaller scale than the others. */
  readonly small: readonly string[];
  readonly startedAt: string;
  readonly minutes: number;
  readonly seed: number;
  readonly scale: string;
  readonly byteSplit: boolean;
  /** In words. */
  readonly machine: string;
}

/** How a broker's makers write its name. */
const NAMES: Readonly<Record<string, string>> = { dunlin: 'Dunlin', mosquitto: 'Mosquitto' };

/**
 * Markdown: a row for each scenario, a column for each broker; below it how the run was made, what
 * did not hold, and how each broker was set up.
 */
export function comparisonText(report: ComparisonReport): string {
  const { brokers } = report;
  return [
    comparisonTable(report),
    '',
    howItWasMade(report),
    '',
    ...brokers.flatMap(failures),
    '',
    ...brokers.map((broker) => `- ${nameOf(broker)}: ${broker.setUp}.`),
  ].join('\n');
}

/** The table alone. */
export function comparisonTable({
  brokers,
  small,
}: Pick<ComparisonReport, 'brokers' | 'small'>): string {
  const names = brokers.map(nameOf);
  const rows = brokers[0]!.scenarios.map(({ number, name }, index) => {
    const cells = brokers.map(({ scenarios }) => cell(scenarios[index]));
    const size = small.includes(name) ? ' (small)' : '';
    return line([String(number), `\`${name}\`${size}`, ...cells]);
  });
  const passed = brokers.map(({ scenarios }) => {
    return `**${scenarios.filter(({ pass }) => pass).length} of ${scenarios.length}**`;
  });
  return [
    line(['#', 'scenario', ...names]),
    line(['---', '---', ...names.map(() => '---')]),
    ...rows,
    line(['', 'passed', ...passed]),
  ].join('\n');
}

/** A sentence for whoever wants the same again. */
export function howItWasMade(report: ComparisonReport): string {
  const { startedAt, minutes, seed, scale, byteSplit, machine } = report;
  const split = byteSplit ? ', byte by byte' : '';
  const when = startedAt.slice(0, 10);
  return `One run on ${when}, ${shownNumber(Math.round(minutes))} minutes: seed ${seed}, ${scale} scale${split}; ${machine}.`;
}

function nameOf({ kind, version }: Column): string {
  return `${NAMES[kind] ?? kind} ${version}`;
}

function failures(broker: Column): string[] {
  return broker.scenarios.flatMap(({ name, criteria }) =>
    criteria
      .filter(({ pass }) => pass === false)
      .map(({ name: what, measured, unit, comparison, limit }) => {
        const found = `${shownNumber(measured)} ${unit}, ${comparison} ${shownNumber(limit)}`;
        return `- ${nameOf(broker)}, \`${name}\`: ${what}: ${found}.`;
      }),
  );
}

/** A run that was broken off has no result for the last brokers. */
function cell(result: ScenarioResult | undefined): string {
  if (result === undefined) return 'not played';
  const { pass, telling } = result;
  return `${pass ? 'pass' : '**fail**'}: ${telling.replaceAll('|', '/').replaceAll('\n', ' ')}`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
