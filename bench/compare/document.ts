import { basename } from 'node:path';
import type { BrokerName } from '../brokers/names.js';
import { judgeGoals } from './goals.js';
import type { SavedResults, SavedRun } from './saved-results.js';
import { costShown, costTable, goalTable, markdownTable, rateTable } from './table.js';

/** What the README calls the cases that it shows. */
const HEADLINES: readonly (readonly [caseName: string, text: string])[] = [
  ['pairs-qos0', '100 pairs, QoS 0, several in flight'],
  ['pairs-qos1', 'the same, QoS 1'],
  ['pairs-qos2', 'the same, QoS 2'],
  ['fan-out-100', '1 publisher to 100 subscribers, QoS 0'],
  ['fan-in-100', '100 publishers to 1 subscriber, QoS 0'],
  ['fan-in-100-qos1', '100 publishers to 1 subscriber, QoS 1'],
  ['v5-properties', '100 pairs, QoS 0, MQTT 5 with properties'],
  ['websocket', 'WebSocket, QoS 0'],
  ['offline-qos1', 'QoS 1 to clients that are away, synced before PUBACK (the others: in memory)'],
  ['online-persistent', 'QoS 1 to kept sessions that are there (the others: in memory)'],
  ['drain-qos1', 'a backlog taken by clients that come back'],
  ['connect-storm', '10,000 connections in the same moment'],
  ['pairs-window-1', 'one message at a time, 100 pairs'],
  ['fan-out-1000-window-1', 'one message at a time, 1 to 1,000'],
  ['payload-4k', '4 KiB payloads'],
  ['payload-256k', '256 KiB payloads'],
];
const HEADLINE_BROKERS: readonly (readonly [BrokerName, string])[] = [
  ['dunlin', 'Dunlin'],
  ['mosquitto', 'Mosquitto'],
  ['mosquitto-nodelay', 'Mosquitto, no delay'],
  ['aedes', 'aedes'],
  ['floor', 'C relay without features'],
];

/** The sections of the README. */
export function headlineSections(saved: SavedResults): ReadonlyMap<string, string> {
  const { comparisons, brokers, runs } = saved;
  const shown = HEADLINE_BROKERS.filter(([name]) => brokers.includes(name));
  const rows = HEADLINES.flatMap(([caseName, text]) => {
    const comparison = comparisons.find(({ benchCase }) => benchCase.name === caseName);
    if (comparison === undefined) return [];
    return [[text, ...shown.map(([name]) => costShown(comparison, name, ' µs'))]];
  });
  const table = markdownTable([['case', ...shown.map(([, title]) => title)], ...rows]);
  return new Map([['headlines', `${runs.map(about).join('\n')}\n\n${table}`]]);
}

/** The sections of the benchmarks' own page. */
export function benchSections({
  runs,
  comparisons,
  brokers,
}: SavedResults): ReadonlyMap<string, string> {
  const settings = new Map(runs.flatMap(({ setups }) => Object.entries(setups)));
  return new Map([
    ['runs', runs.map(about).join('\n')],
    ['costs', costTable(comparisons, brokers)],
    ['rates', rateTable(comparisons, brokers)],
    ['goals', goalTable(judgeGoals(comparisons))],
    [
      'settings',
      `\`\`\`\n${[...settings].map(([name, setup]) => `${name}: ${setup}`).join('\n')}\n\`\`\``,
    ],
  ]);
}

/**
 * Puts each section between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`. Throws where a
 * document lacks one.
 */
export function replaceSections(
  text: string,
  sections: ReadonlyMap<string, string>,
  document: string,
): string {
  let replaced = text;
  for (const [name, section] of sections) {
    const begin = `<!-- bench:${name} -->`;
    const end = `<!-- /bench:${name} -->`;
    const from = replaced.indexOf(begin);
    const to = replaced.indexOf(end, from);
    if (from < 0 || to < 0) throw new Error(`${document} has no ${begin} … ${end}`);
    replaced = `${replaced.slice(0, from + begin.length)}\n\n${section}\n\n${replaced.slice(to)}`;
  }
  return replaced;
}

function about({ file, commit, machine, rounds, seconds, versions, pinning }: SavedRun): string {
  const { processor, cores, system, node, temporaryFolder, loadAverage } = machine;
  const brokers = Object.entries(versions)
    .filter(([name, version]) => name !== 'mosquitto-nodelay' && version !== 'missing')
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
  return [
    `- \`bench/results/${basename(file)}\`, commit ${commit}: ${rounds} × ${seconds} s on`,
    `  ${processor} with ${cores} cores, ${system}, Node ${node}, stores in ${temporaryFolder},`,
    `  load average before it ${loadAverage.toFixed(2)}; pinning: ${pinning};`,
    `  ${brokers}.`,
  ].join('\n');
}
