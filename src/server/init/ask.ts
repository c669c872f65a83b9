import * as prompts from '@clack/prompts';
import { judgeUserName } from '../../extensions/authentication/password-file.js';
import { ExitCode, StartError } from '../exit-code.js';
import { judgeNames, splitNames } from './names.js';
import { defaultPlan, ownNames, type SetupPlan } from './plan.js';

/** Where questions are asked; the process's own terminal by default. */
export type Terminal = Pick<prompts.TextOptions, 'input' | 'output'>;

/**
 * Asks what the flags have left open; who says Enter to everything gets what `--yes` gives. Ends
 * with exit code 1 when the user breaks it off.
 */
export async function askForPlan(
  given: Partial<SetupPlan>,
  terminal: Terminal = {},
): Promise<SetupPlan> {
  prompts.intro('A broker that is safe to reach. Ctrl+C leaves everything as it is.', terminal);
  const defaults = defaultPlan();
  const folder = given.folder ?? defaults.folder;
  const userName = given.userName ?? (await askUserName(terminal));
  const certificates = given.certificates ?? (await askCertificates(terminal));
  const names = given.names ?? (await askNames(certificates, terminal));
  const email = given.email ?? (certificates === 'acme' ? await askEmail(terminal) : undefined);
  const plainDevices =
    given.plainDevices ??
    (certificates !== 'none' &&
      (await isSo(
        'Are there devices that cannot do TLS? (They send their password in the clear.)',
        defaults.plainDevices,
        terminal,
      )));
  const browsers =
    given.browsers ??
    (await isSo('Shall browsers connect, over WebSocket?', defaults.browsers, terminal));
  const mdns =
    given.mdns ??
    (await isSo('Shall the local network be told of it (mDNS)?', defaults.mdns, terminal));
  return { folder, userName, certificates, names, email, plainDevices, browsers, mdns };
}

async function askUserName(terminal: Terminal): Promise<string> {
  return answered(
    await prompts.text({
      ...terminal,
      message: 'Name of the first user',
      initialValue: defaultPlan().userName,
      validate: (name = '') => judgeUserName(name),
    }),
  );
}

async function askCertificates(terminal: Terminal): Promise<SetupPlan['certificates']> {
  return answered(
    await prompts.select<SetupPlan['certificates']>({
      ...terminal,
      message: 'Encryption',
      options: [
        { value: 'local', label: 'an authority of its own', hint: 'devices are given its ca.pem' },
        { value: 'acme', label: "Let's Encrypt", hint: 'needs a public name and port 80' },
        { value: 'none', label: 'none', hint: 'passwords travel in the clear' },
      ],
    }),
  );
}

async function askNames(
  certificates: SetupPlan['certificates'],
  terminal: Terminal,
): Promise<string[]> {
  if (certificates === 'none') return ownNames();
  const text = answered(
    await prompts.text({
      ...terminal,
      message: 'Names by which clients reach it',
      initialValue: certificates === 'local' ? ownNames().join(' ') : '',
      validate: (line = '') => judgeNames(splitNames(line), certificates),
    }),
  );
  return splitNames(text);
}

async function askEmail(terminal: Terminal): Promise<string | undefined> {
  const text = answered(
    await prompts.text({
      ...terminal,
      message: 'Address for letters about the certificate (by this its terms are accepted)',
      placeholder: 'may be left empty',
    }),
  );
  return text === '' || text === undefined ? undefined : text;
}

async function isSo(message: string, initialValue: boolean, terminal: Terminal): Promise<boolean> {
  return answered(await prompts.confirm({ message, initialValue, ...terminal }));
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (prompts.isCancel(answer)) {
    throw new StartError(ExitCode.Failure, ['nothing was written']);
  }
  return answer as Exclude<T, symbol>;
}
