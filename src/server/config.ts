import * as v from 'valibot';
import { type SectionNode, sectionOf } from './config/node.js';
import { type Config, top } from './config/top.js';

export type { ListenConfig } from './config/listener.js';
export type { Config, Durability, LogFormat, LogLevel } from './config/top.js';

/** All that may be written, as a tree. */
export const configTree: SectionNode = sectionOf(top);

export interface ConfigFault {
  readonly path: readonly (string | number)[];
  readonly expectation: string;
}

/** The configuration with all defaults filled in, or everything that is wrong with it. */
export function parseConfig(written: unknown): Config | readonly ConfigFault[] {
  const result = v.safeParse(top, written);
  if (result.success) return deepFreeze(result.output);
  return result.issues.map(({ path = [], message }) => ({
    path: path.map(({ key }) => key as string | number),
    expectation: message,
  }));
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}
