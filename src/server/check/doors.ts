import { urlOf } from '../../transport/listener.js';
import { letsAnonymousIn, methodsOf } from '../config/doors.js';
import type { Config, ListenConfig } from '../config.js';
import { isLocal, isSecure } from '../listen-url.js';
import type { Finding } from './finding.js';

/** Says what is open to whom: nothing of it keeps the broker from starting. */
export async function checkDoors(config: Config): Promise<readonly Finding[]> {
  return config.listen.flatMap((listen, i) =>
    sentencesOn(listen, config).map(
      (sentence): Finding => ({
        severity: 'warning',
        place: `listen[${i}]`,
        sentence: `${urlOf(listen.url)}: ${sentence}`,
      }),
    ),
  );
}

function sentencesOn(listen: ListenConfig, config: Config): string[] {
  const isOpen = letsAnonymousIn(listen, config);
  const isNear = isLocal(listen.url);
  const sentences: string[] = [];
  if (isOpen && !isNear) {
    sentences.push(`whoever reaches it is let in without a password and may ${mayDo(config)}`);
  }
  if (!isOpen && !hasRules(config)) {
    sentences.push('whoever is let in may read and write every topic: there are no rules');
  }
  if (!isOpen && !isNear && !isSecure(listen.url) && sendsPasswords(listen, config)) {
    sentences.push('passwords cross the network in clear text here: use mqtts:// or wss://');
  }
  if (isOpen && listen.url.scheme.startsWith('ws') && listen.origins === undefined) {
    sentences.push(
      'every web page that is opened where it can be reached may connect, too: name origins',
    );
  }
  return sentences;
}

function sendsPasswords(listen: ListenConfig, config: Config): boolean {
  return methodsOf(listen, config).some((name) => !['certificate', 'psk', 'scram'].includes(name));
}

function mayDo(config: Config): string {
  return hasRules(config) ? 'do what the rules allow to everybody' : 'read and write every topic';
}

function hasRules({ authorization }: Config): boolean {
  const { rules, rulesFile, mosquittoAclFile, dynamicSecurityFile, http } = authorization;
  const files = [rulesFile, mosquittoAclFile, dynamicSecurityFile];
  return rules.length > 0 || http !== undefined || files.some((file) => file !== undefined);
}
