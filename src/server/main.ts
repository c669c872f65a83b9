#!/usr/bin/env node
import { plainFlags } from './flags.js';

const flags = plainFlags(process.argv.slice(2));
if (flags === undefined) {
  const { runProgram } = await import('./program.js');
  await runProgram();
} else {
  const { run, endWith } = await import('./run.js');
  await run(flags).catch(endWith);
}
