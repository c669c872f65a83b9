import { basename } from 'node:path';
import type { Directive } from './directives.js';
import type { Draft } from './draft.js';
import { isYes, type Option, withoutUnless } from './option.js';

/** Who gets in and what they may do: of the whole broker, or with per_listener_settings of one. */
export const accessOptions: ReadonlyMap<string, Option> = new Map<string, Option>([
  ['allow_anonymous', allowAnonymous],
  ['password_file', file('authentication', 'passwordFile')],
  ['acl_file', file('authorization', 'mosquittoAclFile')],
  ['allow_zero_length_clientid', zeroLengthIdentifier],
  ['auto_id_prefix', assignedPrefix],
  ['auth_plugin', plugin],
  ['global_plugin', plugin],
  ['plugin', plugin],
  ['plugin_load', plugin],
  [
    'auth_plugin_deny_special_chars',
    withoutUnless(
      'true',
      'names with + # or / never widen a rule here, so they need not be denied',
    ),
  ],
]);

function allowAnonymous(draft: Draft, directive: Directive): void {
  const value = isYes(directive);
  if (draft.isPerListener) draft.setHere(['allowAnonymous'], value, directive);
  else draft.set(['allowAnonymous'], value, directive);
}

/** For one listener where `per_listener_settings` says so, and otherwise for all. */
function setScoped(draft: Draft, name: string, value: unknown, directive: Directive): void {
  if (draft.isPerListener) draft.setHere(['limits', name], value, directive);
  else draft.set(['limits', name], value, directive);
}

function zeroLengthIdentifier(draft: Draft, directive: Directive): void {
  setScoped(draft, 'clientIdentifierRequired', !isYes(directive), directive);
}

function assignedPrefix(draft: Draft, directive: Directive): void {
  setScoped(draft, 'assignedClientIdentifierPrefix', directive.value, directive);
}

/** There is one such file for all listeners; a second one cannot be honoured. */
function file(...path: [string, string]): Option {
  return (draft, directive) => {
    const before = draft.settings.find((setting) => setting.path.join() === path.join());
    if (before === undefined) draft.set(path, directive.value, directive);
    else if (before.value !== directive.value) {
      draft.note(
        directive,
        `there is one such file for all listeners, and ${String(before.value)} is it: ` +
          `bring what is in ${directive.value} into that one`,
      );
    }
  };
}

const KNOWN_PLUGINS = [
  'mosquitto_dynamic_security.so',
  'mosquitto_password_file.so',
  'mosquitto_acl_file.so',
];

function plugin(draft: Draft, directive: Directive): void {
  draft.plugin = basename(directive.value.split(/[ \t]+/).at(-1)!);
  if (KNOWN_PLUGINS.includes(draft.plugin)) return;
  draft.note(directive, `${draft.plugin} cannot be loaded: see authentication and hooks`);
}

const PLUGIN_FILES: Readonly<Record<string, Option>> = {
  config_file: (draft, directive) => {
    file('authorization', 'dynamicSecurityFile')(draft, directive);
    file('authentication', 'dynamicSecurityFile')(draft, directive);
  },
  password_file: file('authentication', 'passwordFile'),
  acl_file: file('authorization', 'mosquittoAclFile'),
};

/** `plugin_opt_NAME` and `auth_opt_NAME`; whether it is such a line. */
export function pluginOption(draft: Draft, directive: Directive): boolean {
  const [, name] = /^(?:plugin_opt|auth_opt)_(.+)$/.exec(directive.name) ?? [];
  if (name === undefined) return false;
  const option = PLUGIN_FILES[name];
  const isKnown = draft.plugin !== undefined && KNOWN_PLUGINS.includes(draft.plugin);
  if (isKnown && option !== undefined) option(draft, directive);
  else if (isKnown) draft.note(directive, 'is not needed here');
  return true;
}
