import { nearestName } from '../nearest-name.js';
import { accessOptions, pluginOption } from './access-options.js';
import type { Directive } from './directives.js';
import { Draft, type ListenerDraft } from './draft.js';
import { globalOptions } from './global-options.js';
import { listenerOptions } from './listener-options.js';

const ALL_OPTIONS = new Map([...globalOptions, ...listenerOptions, ...accessOptions]);

/** Lines of a bridge; they count only behind `connection`. */
const BRIDGE_BEGINNINGS = ['bridge_', 'local_', 'notification', 'remote_'];
const BRIDGE_LINES: ReadonlySet<string> = new Set([
  ...['address', 'addresses', 'cleansession', 'clientid', 'idle_timeout', 'keepalive_interval'],
  ...['password', 'restart_timeout', 'round_robin', 'start_type', 'threshold', 'topic'],
  ...['try_private', 'username'],
]);

/** Everything a mosquitto.conf says, as settings of Dunlin, notes and faults. */
export function convert(directives: readonly Directive[], file: string): Draft {
  const draft = new Draft();
  for (const directive of directives) take(draft, directive);
  finishListeners(draft);
  missingAccess(draft, file);
  if (!directives.some(({ name }) => name === 'persistence')) {
    draft.note(
      { place: file, name: 'persistence' },
      'it is not there, so Mosquitto kept nothing over a restart; Dunlin keeps sessions and ' +
        'retained messages on disk (in_memory: true for the old way)',
    );
  }
  return draft;
}

function take(draft: Draft, directive: Directive): void {
  const { name } = directive;
  if (name === 'connection') {
    draft.bridge = directive.value;
    draft.note(directive, `bridges are not made yet: ${directive.value} is left out as a whole`);
    return;
  }
  if (draft.bridge !== undefined && isOfBridge(name)) return;
  if (pluginOption(draft, directive)) return;
  const option = ALL_OPTIONS.get(name);
  if (option !== undefined) option(draft, directive);
  else unknown(draft, directive);
}

function isOfBridge(name: string): boolean {
  return BRIDGE_LINES.has(name) || BRIDGE_BEGINNINGS.some((start) => name.startsWith(start));
}

function unknown(draft: Draft, directive: Directive): void {
  const nearest = nearestName(directive.name, ALL_OPTIONS.keys());
  const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
  draft.note(directive, `is no option of Mosquitto that is known here${hint}`);
}

function finishListeners(draft: Draft): void {
  const { defaultListener, listeners } = draft;
  const isLocalOnly = listeners.length === 0 && defaultListener.port === undefined;
  if (isLocalOnly) defaultListener.host ??= '127.0.0.1';
  if (isLocalOnly || defaultListener.port !== undefined) listeners.unshift(defaultListener);
  else adopt(draft, defaultListener);
}

/** What stands before the first `listener` without a `port` belongs to no listener. */
function adopt(draft: Draft, { settings }: ListenerDraft): void {
  for (const { place } of settings) {
    draft.notes.push({
      place,
      sentence: 'it stands before the first listener and there is no port: it has no effect',
    });
  }
}

/** Without a word about anonymous clients and without passwords Mosquitto lets nobody in. */
function missingAccess({ settings, listeners, notes }: Draft, file: string): void {
  const says = (key: string) =>
    settings.some(({ path }) => path[0] === key) ||
    listeners.some((listener) => listener.settings.some(({ path }) => path[0] === key));
  const isLocalOnly = listeners.length === 1 && listeners[0]!.place === '';
  const byTls = listeners.some(({ settings: own }) =>
    own.some(({ path }) => path[1] === 'userNameFrom' || path[1] === 'pskFile'),
  );
  if (isLocalOnly || byTls || says('allowAnonymous') || says('authentication')) return;
  notes.push({
    place: file,
    sentence: 'allow_anonymous and password_file: neither is there, so that nobody could connect',
  });
}
