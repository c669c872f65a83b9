import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { StartError } from '../../../src/server/exit-code.js';
import { askForPlan } from '../../../src/server/init/ask.js';
import { defaultPlan, type SetupPlan } from '../../../src/server/init/plan.js';

const ENTER = '\r';
const CTRL_C = '\u0003';

/** Presses one key whenever a new question has been asked; gives all that was shown as well. */
async function answering(
  keys: readonly string[],
  given: Partial<SetupPlan> = {},
): Promise<{ readonly plan: SetupPlan; readonly shown: string }> {
  const input = new PassThrough();
  const output = new PassThrough();
  let shown = '';
  let asked = 0;
  output.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    const questions = shown.split('◆').length - 1;
    if (questions <= asked) return;
    asked = questions;
    setImmediate(() => input.write(keys[asked - 1] ?? keys.at(-1)!));
  });
  return { plan: await askForPlan(given, { input, output }), shown };
}

test('Enter to everything is what --yes gives: nothing in clear text beyond this machine', async () => {
  const { plan, shown } = await answering([ENTER]);
  expect(plan).toEqual(defaultPlan());
  expect(plan).toMatchObject({ certificates: 'local', plainDevices: false });
  expect(shown).toContain('They send their password in the');
});

test('what flags have said is not asked', async () => {
  const given = { userName: 'me', certificates: 'none', browsers: false, mdns: true } as const;
  const { plan, shown } = await answering([ENTER], given);
  expect(plan).toMatchObject({ ...given, plainDevices: false });
  expect(shown).not.toContain('◆');
});

test('Ctrl+C ends it before anything is written', async () => {
  const error = await answering([ENTER, CTRL_C]).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StartError);
  expect((error as StartError).sentences).toEqual(['nothing was written']);
});
