const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};

const SECOND_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
};

/** Bytes from `2MB`, `64KiB` or a plain number; undefined when it is none of these. */
export function parseSize(value: unknown): number | undefined {
  return parseWithUnit(value, SIZE_UNITS);
}

/** Seconds from `500ms`, `30s`, `5m`, `12h`, `7d`, `2w` or a plain number of seconds. */
export function parseSeconds(value: unknown): number | undefined {
  return parseWithUnit(value, SECOND_UNITS);
}

function parseWithUnit(
  value: unknown,
  units: Readonly<Record<string, number>>,
): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  const [, digits, unit] = /^\s*(\d[\d_]*(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(value) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const factor = Object.hasOwn(units, unit.toLowerCase()) ? units[unit.toLowerCase()] : undefined;
  return factor === undefined ? undefined : Number(digits.replaceAll('_', '')) * factor;
}

/** A size as people write it: in the largest unit that leaves no fraction. */
export function showSize(bytes: number): string {
  return showWithUnit(bytes, { GiB: 1024 ** 3, MiB: 1024 ** 2, KiB: 1024 });
}

/** A time as people write it: in the largest unit that leaves no fraction. */
export function showSeconds(seconds: number): string {
  return showWithUnit(seconds, { d: 86_400, h: 3600, m: 60, s: 1 });
}

function showWithUnit(amount: number, units: Readonly<Record<string, number>>): string {
  if (amount === 0) return '0';
  const fitting = Object.entries(units).find(([, factor]) => amount % factor === 0);
  return fitting === undefined ? String(amount) : `${amount / fitting[1]}${fitting[0]}`;
}
