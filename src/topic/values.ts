/** Two or more values; a class of its own, so that a value may be a Set itself. */
export class Several<T> extends Set<T> {}

/** The values under one filter. Most filters have one, which is then held as itself. */
export type Values<T> = T | Several<T>;

/**
 * The values with this one; `undefined` are no values. The same object back when it was among them.
 */
export function withValue<T>(values: Values<T> | undefined, value: T): Values<T> {
  if (values === undefined || values === value) return value;
  if (values instanceof Several) return values.add(value);
  return new Several<T>().add(values).add(value);
}

/** The values without this one. */
export function withoutValue<T>(values: Values<T> | undefined, value: T): Values<T> | undefined {
  if (values === value) return undefined;
  if (!(values instanceof Several)) return values;
  values.delete(value);
  return values.size === 0 ? undefined : values;
}

export function countValues<T>(values: Values<T> | undefined): number {
  if (values === undefined) return 0;
  return values instanceof Several ? values.size : 1;
}

export function visitValues<T>(values: Values<T> | undefined, visit: (value: T) => void): void {
  if (values === undefined) return;
  if (values instanceof Several) {
    for (const value of values) visit(value);
  } else {
    visit(values);
  }
}
