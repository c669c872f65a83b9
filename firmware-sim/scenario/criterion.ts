export type Comparison = 'at most' | 'at least' | 'exactly';

/** One thing that must hold, with what was measured. */
export interface Criterion {
  readonly name: string;
  readonly unit: string;
  readonly comparison: Comparison;
  readonly limit: number;
  /** Undefined where this broker or machine lets nobody look: no failure, and no pass. */
  readonly measured: number | undefined;
  readonly pass: boolean | undefined;
}

export function atMost(
  name: string,
  unit: string,
  limit: number,
  measured: number | undefined,
): Criterion {
  return criterion(name, unit, 'at most', limit, measured);
}

export function atLeast(
  name: string,
  unit: string,
  limit: number,
  measured: number | undefined,
): Criterion {
  return criterion(name, unit, 'at least', limit, measured);
}

export function exactly(
  name: string,
  unit: string,
  limit: number,
  measured: number | undefined,
): Criterion {
  return criterion(name, unit, 'exactly', limit, measured);
}

function criterion(
  name: string,
  unit: string,
  comparison: Comparison,
  limit: number,
  measured: number | undefined,
): Criterion {
  const pass = measured === undefined ? undefined : holds(comparison, limit, measured);
  return { name, unit, comparison, limit, measured, pass };
}

/** NaN, the percentile of nothing, holds nowhere. */
function holds(comparison: Comparison, limit: number, measured: number): boolean {
  switch (comparison) {
    case 'at most':
      return measured <= limit;
    case 'at least':
      return measured >= limit;
    case 'exactly':
      return measured === limit;
  }
}
