export function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) {
    throw new Error(`${flag} ${value}: expected one of ${allowed.join(', ')}`);
  }
  return found;
}

/** From 0 to 1. */
export function share(flag: string, value: string): number {
  const number = Number(value);
  if (value.trim() === '' || !(number >= 0 && number <= 1)) {
    throw new Error(`${flag} ${value}: expected a number from 0 to 1`);
  }
  return number;
}

export function wholeNumber(flag: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new Error(`${flag} ${value}: expected a whole number`);
  return Number(value);
}
