import type { PasswdTerminal } from './passwd.js';

/** Asks on a terminal, without showing what is typed; anywhere else it reads one line. */
export const terminal: PasswdTerminal = {
  readPassword: (userName) => (process.stdin.isTTY ? ask(userName) : readLine()),
  print: (line) => void process.stdout.write(`${line}\n`),
  tell: (line) => void process.stderr.write(`dunlin: ${line}\n`),
};

async function ask(userName: string): Promise<string | undefined> {
  const { isCancel, password } = await import('@clack/prompts');
  const options = { mask: '*', output: process.stderr };
  const first = await password({ ...options, message: `New password for ${userName}` });
  if (isCancel(first)) return undefined;
  const again = await password({
    ...options,
    message: 'Once more',
    validate: (text) => (text === first ? undefined : 'This is another one: try again'),
  });
  return isCancel(again) ? undefined : first;
}

async function readLine(): Promise<string> {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const part of process.stdin) {
    text += part as string;
    if (text.includes('\n')) break;
  }
  return text.split(/\r?\n/)[0]!;
}
