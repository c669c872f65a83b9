export function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) {
    throw new Error(`${flag} ${value}: expected one of ${allowed.join(', ')}`);
  }
  return found;
}

export function wholeNumber(flag: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new Error(`${flag} ${value}: expected a whole number`);
  return Number(value);
}
