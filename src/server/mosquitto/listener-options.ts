import type { Directive } from './directives.js';
import { type Draft, ListenerDraft } from './draft.js';
import {
  isYes,
  needless,
  number,
  type Option,
  sameHere,
  without,
  withoutUnless,
} from './option.js';

const COUNT_MAX = 1_000_000_000;

/** Lines that mean the listener whose block they stand in. */
export const listenerOptions: ReadonlyMap<string, Option> = new Map<string, Option>([
  ['listener', listener],
  ['port', port],
  ['bind_address', bindAddress],
  ['bind_interface', without('listen on the address of that interface instead')],
  ['cafile', tls('ca')],
  ['capath', without('put the certificates of that folder into one file and name it as tls.ca')],
  ['certfile', certificate],
  ['ciphers', tls('ciphers')],
  ['ciphers_tls1.3', without('the suites of TLS 1.3 are those of Node; tls.ciphers changes them')],
  ['crlfile', tls('revocationList')],
  ['dhparamfile', needless],
  [
    'enable_proxy_protocol',
    without('say which proxies are believed: proxy_protocol: { trusted: [10.0.0.0/8] }'),
  ],
  ['http_dir', without('files are not served')],
  ['keyfile', tls('key')],
  ['max_connections', number(-1, COUNT_MAX, sameHere)('limits', 'connectionsMax')],
  ['max_qos', sameHere('limits', 'qosMax')],
  ['max_topic_alias', sameHere('limits', 'topicAliasMaximum')],
  ['max_topic_alias_broker', sameHere('limits', 'outboundTopicAliasMaximum')],
  ['mount_point', sameHere('mountPoint')],
  ['protocol', protocol],
  ['psk_file', pskFile],
  ['psk_hint', tls('pskHint')],
  ['require_certificate', requireCertificate],
  ['socket_domain', socketDomain],
  ['tls_engine', without('keys are read from files')],
  ['tls_keyform', withoutUnless('pem', 'keys are read from files')],
  ['tls_version', tlsVersion],
  ['use_identity_as_username', useIdentity],
  [
    'use_subject_as_username',
    withoutUnless('false', 'the common name of the certificate is the user name: rename the rules'),
  ],
  [
    'use_username_as_clientid',
    withoutUnless('false', 'clients keep their own Client Identifiers; rules can ask for both'),
  ],
  ['websockets_headers_size', needless],
  ['websockets_origin', origin],
]);

function listener(draft: Draft, directive: Directive): void {
  const made = new ListenerDraft(directive.place);
  const [number = '', host] = directive.value.split(/[ \t]+/);
  if (number === '0') made.socketPath = host;
  else {
    made.port = number;
    made.host = host;
  }
  draft.bridge = undefined;
  draft.listeners.push(made);
  draft.listener = made;
}

function port(draft: Draft, directive: Directive): void {
  draft.defaultListener.port = directive.value;
}

function bindAddress(draft: Draft, directive: Directive): void {
  draft.defaultListener.host = directive.value;
}

function tls(name: string): Option {
  return sameHere('tls', name);
}

function certificate(draft: Draft, directive: Directive): void {
  draft.listener.hasTls = true;
  tls('certificate')(draft, directive);
}

function pskFile(draft: Draft, directive: Directive): void {
  draft.listener.hasTls = true;
  tls('pskFile')(draft, directive);
}

function protocol(draft: Draft, directive: Directive): void {
  if (directive.value === 'websockets') draft.listener.isWebSocket = true;
  else if (directive.value !== 'mqtt') {
    draft.note(directive, `there is no such protocol here as ${directive.value}`);
  }
}

function requireCertificate(draft: Draft, directive: Directive): void {
  const value = isYes(directive) ? 'required' : 'none';
  draft.setHere(['tls', 'clientCertificate'], value, directive);
}

function useIdentity(draft: Draft, directive: Directive): void {
  if (isYes(directive)) draft.setHere(['tls', 'userNameFrom'], 'cn', directive);
}

function socketDomain(draft: Draft, directive: Directive): void {
  draft.listener.addressFamily = directive.value;
}

/** Names the least version that is let in. */
function tlsVersion(draft: Draft, directive: Directive): void {
  if (directive.value === 'tlsv1.3') draft.setHere(['tls', 'versions'], ['1.3'], directive);
  else if (directive.value !== 'tlsv1.2') {
    draft.note(directive, 'the oldest version let in is TLS 1.2');
  }
}

function origin(draft: Draft, directive: Directive): void {
  const before = draft.listener.settings.find(({ path }) => path[0] === 'origins');
  if (before === undefined) draft.setHere(['origins'], [directive.value], directive);
  else (before.value as string[]).push(directive.value);
}
