import type { MeasurementMap, Outcome } from './scenario.js';

/** The one or two numbers by which people compare brokers, in a few words. */
export type Telling = (found: Found) => string;

/** What a scenario found, by the names its criteria and measurements have. */
export class Found {
  readonly #outcome: Outcome;

  constructor(outcome: Outcome) {
    this.#outcome = outcome;
  }

  /** What was measured for a criterion; throws for a name that is none. */
  value(name: string): number | undefined {
    const criterion = this.#outcome.criteria.find((one) => one.name === name);
    if (criterion === undefined) throw new Error(`there is no criterion ${name}`);
    return criterion.measured;
  }

  /** The same as text, `?` where nobody could look. */
  shown(name: string): string {
    return shownNumber(this.value(name));
  }

  /** A measurement of one's own; undefined when it is no number. */
  measurement(name: string, within?: string): number | undefined {
    const { measurements } = this.#outcome;
    const map = within === undefined ? measurements : (measurements[within] as MeasurementMap);
    const value = map[name];
    return typeof value === 'number' ? value : undefined;
  }
}

/** For people: thousands apart, no more digits than mean something. */
export function shownNumber(value: number | undefined): string {
  if (value === undefined) return '?';
  if (!Number.isFinite(value)) return 'never';
  if (Number.isInteger(value) || Math.abs(value) >= 100) {
    return Math.round(value).toLocaleString('en-US');
  }
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}

export function shownKibibytes(bytes: number | undefined): string {
  return bytes === undefined ? '? KiB' : `${shownNumber(Math.round(bytes / 1024))} KiB`;
}
