import { readFileSync } from 'node:fs';

export type Environment = Readonly<Record<string, string | undefined>>;

const VARIABLE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Puts variables in place of `${NAME}` and `${NAME:-default}`; an empty variable counts as not set.
 * `$${` stays `${`.
 */
export function interpolate(
  written: string,
  environment: Environment,
): { readonly text: string; readonly missing: readonly string[] } {
  const missing: string[] = [];
  const text = written.replace(VARIABLE, (whole, name?: string, fallback?: string) => {
    if (name === undefined) return '${';
    const value = environment[name] || fallback;
    if (value === undefined) missing.push(name);
    return value ?? whole;
  });
  return { text, missing };
}

/** What a file of one secret holds, without the end of its line. */
export function readSecret(file: string): { readonly text: string } | { readonly fault: string } {
  try {
    return { text: readFileSync(file, 'utf8').replace(/\r?\n$/, '') };
  } catch (error) {
    return { fault: `cannot be read: ${(error as Error).message}` };
  }
}
