import { z } from 'zod';
import type { ListenAddress } from '../transport/listener.js';
import { parseListenUrl } from './listen-url.js';
import { parseSeconds, parseSize } from './units.js';

/** A value as people write it, judged by `read`; the expectation is the sentence they are told. */
function written<T>(expectation: string, read: (value: unknown) => T | undefined): z.ZodType<T> {
  return z.unknown().transform((value, context) => {
    const result = read(value);
    if (result !== undefined) return result;
    context.addIssue({ code: 'custom', message: `expected ${expectation}, not ${shown(value)}` });
    return z.NEVER;
  });
}

export function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : (JSON.stringify(value) ?? String(value));
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  if (value === undefined || !Number.isInteger(value)) return undefined;
  return value >= min && value <= max ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\d[\d_]*$/.test(value)
    ? Number(value.replaceAll('_', ''))
    : undefined;
}

export function count(min: number, max: number): z.ZodType<number> {
  return written(`a whole number from ${min} to ${max}`, (v) => within(numberOf(v), min, max));
}

export function size(min: number, max: number): z.ZodType<number> {
  return written(`a size from ${min} to ${max} bytes, such as 64KiB, 2MB or 4096`, (v) =>
    within(parseSize(v), min, max),
  );
}

export function seconds(min: number, max: number): z.ZodType<number> {
  return written(
    `a time from ${min} to ${max} whole seconds, such as 30s, 5m, 12h, 7d or 90`,
    (v) => within(parseSeconds(v), min, max),
  );
}

export function text(what: string): z.ZodType<string> {
  return written(what, (v) => (typeof v === 'string' && v !== '' ? v : undefined));
}

const YES = ['true', 'yes', 'on', '1'];
const NO = ['false', 'no', 'off', '0'];

export function yesOrNo(): z.ZodType<boolean> {
  return written('true or false', (value) => {
    const word = String(value).toLowerCase();
    if (YES.includes(word)) return true;
    return NO.includes(word) ? false : undefined;
  });
}

export function oneOf<const T extends string>(...words: readonly T[]): z.ZodType<T> {
  const list =
    words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  return written(list, (value) => words.find((word) => word === value));
}

export function listenUrl(): z.ZodType<ListenAddress> {
  return z.unknown().transform((value, context) => {
    const result = parseListenUrl(typeof value === 'string' ? value : '');
    if (typeof result !== 'string') return result;
    const but = value === undefined ? '' : `, not ${shown(value)}`;
    context.addIssue({ code: 'custom', message: `${result}${but}` });
    return z.NEVER;
  });
}

const VERSIONS: Readonly<Record<string, 3 | 4 | 5>> = {
  '3.1': 3,
  '3.1.1': 4,
  '5': 5,
  '5.0': 5,
};

export function protocolVersion(): z.ZodType<3 | 4 | 5> {
  return written('3.1, 3.1.1 or 5.0', (value) => {
    const name = String(value);
    return Object.hasOwn(VERSIONS, name) ? VERSIONS[name] : undefined;
  });
}
