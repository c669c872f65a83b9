import { readFileSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import {
  type ComparisonReport,
  comparisonTable,
  comparisonText,
  howItWasMade,
} from '../report/comparison-table.js';

/** What stands between these lines of a document is replaced. */
const BEGIN = '<!-- dunlin-sim table -->';
const END = '<!-- dunlin-sim table ends -->';

export function addTableCommand(program: Command): void {
  program
    .command('table')
    .description('the table of a comparison that was made earlier, from its JSON')
    .argument('<json>', 'what --compare wrote with --json')
    .option('--into <file>', `put it between ${BEGIN} and ${END} of this document`)
    .action((json: string, { into }: { readonly into?: string }) => {
      const report = reportFrom(json);
      if (into === undefined) process.stdout.write(`${comparisonText(report)}\n`);
      else writeFileSync(into, replaced(readFileSync(into, 'utf8'), report, into));
    });
}

function reportFrom(file: string): ComparisonReport {
  let report: Partial<ComparisonReport>;
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Partial<ComparisonReport>;
  } catch (error) {
    throw new Error(`${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  if (!Array.isArray(report.brokers) || report.brokers.length === 0) {
    throw new Error(`${file} is no comparison: make one with --compare --json ${file}`);
  }
  return report as ComparisonReport;
}

function replaced(text: string, report: ComparisonReport, file: string): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${file} has no lines ${BEGIN} and ${END}`);
  const table = [BEGIN, '', comparisonTable(report), '', howItWasMade(report), ''].join('\n');
  return `${text.slice(0, from)}${table}\n${text.slice(to)}`;
}
