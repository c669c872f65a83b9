import { parseArgs } from 'node:util';
import { type BrokerName, brokerNames } from '../brokers/names.js';
import { type BenchCase, cases, casesNamed } from '../cases/catalog.js';
import { oneOf, within } from '../load/options.js';

export interface CompareOptions {
  readonly cases: readonly BenchCase[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly brokers: readonly BrokerName[];
  readonly dunlin: string | undefined;
  readonly json: string | undefined;
}

export const usage = `npm run bench:compare -- [options]
  --quick            the most telling cases, one short round: about three minutes
  --cases A,B,C*     these cases alone; npm run bench -- --list shows them
  --brokers A,B      of dunlin, mosquitto, mosquitto-nodelay, aedes, aedes-level, floor
                     (all that are installed)
  --rounds N         of which the medians are taken (3; quick 1)
  --seconds N        measured per run (3; quick 1), after --warm-up seconds (1)
  --dunlin FOLDER    a checkout with a built Dunlin, in place of this one
  --json FILE        writes all results`;

export function compareOptions(argv: readonly string[]): CompareOptions {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      cases: text,
      brokers: text,
      rounds: text,
      seconds: text,
      'warm-up': text,
      dunlin: text,
      json: text,
    },
  });
  const all = values.quick ? cases.filter(({ isQuick }) => isQuick) : cases;
  return {
    cases: values.cases === undefined ? all : casesNamed(list(values.cases)),
    rounds: within('rounds', values.rounds, 1, 100) ?? (values.quick ? 1 : 3),
    seconds: within('seconds', values.seconds, 1, 600) ?? (values.quick ? 1 : 3),
    warmUpSeconds: within('warm-up', values['warm-up'], 0, 60) ?? 1,
    brokers:
      values.brokers === undefined
        ? brokerNames
        : list(values.brokers).map((name) => oneOf('brokers', name, brokerNames)),
    dunlin: values.dunlin,
    json: values.json,
  };
}

function list(text: string): string[] {
  return text.split(',').filter((part) => part !== '');
}
