import type { ConfigPath } from '../config-source.js';
import type { Directive } from './directives.js';
import type { Draft } from './draft.js';

/** Takes one line into the draft. */
export type Option = (draft: Draft, directive: Directive) => void;

export function isYes({ value }: Directive): boolean {
  return value === 'true' || value === '1';
}

/** A setting of the whole broker with the value as it stands. */
export function same(...path: ConfigPath): Option {
  return (draft, directive) => draft.set(path, directive.value, directive);
}

/** A setting of the listener whose block this is. */
export function sameHere(...path: ConfigPath): Option {
  return (draft, directive) => draft.setHere(path, directive.value, directive);
}

/** A number for which Mosquitto writes `none` where there is no limit. */
export function number(none: number, unlimited: number, set: typeof same): typeof same {
  return (...path) =>
    (draft, directive) => {
      const isNone = Number(directive.value) === none;
      const value = isNone ? String(unlimited) : directive.value;
      set(...path)(draft, { ...directive, value });
    };
}

/** Nothing to do: it holds anyway, or says nothing about what clients see. */
export const needless: Option = () => {};

/** Has no equivalent; the sentence says what that means. */
export function without(sentence: string): Option {
  return (draft, directive) => draft.note(directive, sentence);
}

/** Has no equivalent, and needs none where it has this value. */
export function withoutUnless(value: string, sentence: string): Option {
  return (draft, directive) => {
    if (directive.value !== value) draft.note(directive, sentence);
  };
}
