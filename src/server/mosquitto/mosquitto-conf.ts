import { ConfigSource } from '../config-source.js';
import { convert } from './convert.js';
import { readDirectives } from './directives.js';
import type { Note } from './draft.js';

export interface ReadMosquittoConf {
  readonly source: ConfigSource;
  /** What has no equivalent, each with file and line. */
  readonly notes: readonly Note[];
}

/** Reads a mosquitto.conf as if its settings had been written for Dunlin. */
export function readMosquittoConf(file: string): ReadMosquittoConf {
  const { directives, faults } = readDirectives(file);
  const draft = convert(directives, file);
  const source = new ConfigSource();
  source.faults.push(...faults, ...draft.faults);
  for (const { path, value, place } of draft.settings) source.set(path, value, place);
  draft.listeners.forEach((listener, i) => {
    const place = listener.place === '' ? file : `${listener.place}: listener`;
    if (i === 0) source.set(['listen'], [], place);
    source.set(['listen', i, 'url'], listener.url, place);
    source.mark(['listen', i], place);
    for (const { path, value, place: where } of listener.settings) {
      source.set(['listen', i, ...path], value, where);
    }
  });
  return { source, notes: draft.notes };
}
