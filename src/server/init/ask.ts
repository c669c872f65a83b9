import * as prompts from '@clack/prompts';
import { judgeUserName } from '../../extensions/authentication/password-file.js';
import { ExitCode, StartError } from '../exit-code.js';
import { judgeNames, splitNames } from './names.js';
import { ownNames, type SetupPlan } from './plan.js';

/** Asks what the flags have left open; ends with exit code 1 when the user breaks it off. */
export async function askForPlan(given: Partial<SetupPlan>): Promise<SetupPlan> {
  prompts.intro('A broker that is safe to reach. Ctrl+C leaves everything as it is.');
  const folder = given.folder ?? '.';
  const userName = given.userName ?? (await askUserName());
  const certificates = given.certificates ?? (await askCertificates());
  const names = given.names ?? (await askNames(certificates));
  const email = given.email ?? (certificates === 'acme' ? await askEmail() : undefined);
  const plainDevices =
    given.plainDevices ??
    (certificates !== 'none' &&
      (await yes(
        'Are there devices that cannot do TLS? (They send their password in the clear.)',
      )));
  const browsers = given.browsers ?? (await yes('Shall browsers connect, over WebSocket?'));
  const mdns = given.mdns ?? (await yes('Shall the local network be told of it (mDNS)?'));
  return { folder, userName, certificates, names, email, plainDevices, browsers, mdns };
}

async function askUserName(): Promise<string> {
  return answered(
    await prompts.text({
      message: 'Name of the first user',
      initialValue: 'home',
      validate: (name = '') => judgeUserName(name),
    }),
  );
}

async function askCertificates(): Promise<SetupPlan['certificates']> {
  return answered(
    await prompts.select<SetupPlan['certificates']>({
      message: 'Encryption',
      options: [
        { value: 'local', label: 'an authority of its own', hint: 'devices are given its ca.pem' },
        { value: 'acme', label: "Let's Encrypt", hint: 'needs a public name and port 80' },
        { value: 'none', label: 'none', hint: 'passwords travel in the clear' },
      ],
    }),
  );
}

async function askNames(certificates: SetupPlan['certificates']): Promise<string[]> {
  if (certificates === 'none') return ownNames();
  const text = answered(
    await prompts.text({
      message: 'Names by which clients reach it',
      initialValue: certificates === 'local' ? ownNames().join(' ') : '',
      validate: (line = '') => judgeNames(splitNames(line), certificates),
    }),
  );
  return splitNames(text);
}

async function askEmail(): Promise<string | undefined> {
  const text = answered(
    await prompts.text({
      message: 'Address for letters about the certificate (by this its terms are accepted)',
      placeholder: 'may be left empty',
    }),
  );
  return text === '' || text === undefined ? undefined : text;
}

async function yes(message: string): Promise<boolean> {
  return answered(await prompts.confirm({ message }));
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (prompts.isCancel(answer)) {
    throw new StartError(ExitCode.Failure, ['nothing was written']);
  }
  return answer as Exclude<T, symbol>;
}
