import { describe, test } from 'vitest';
import { type CaseFile, readCaseFiles, versionsOf } from './harness/case-file.js';
import type { HarnessFactory } from './harness/harness.js';
import type { Version } from './harness/hex-pattern.js';
import { runCase } from './harness/run-case.js';
import { byteByByte, simulated } from './harness/simulated-harness.js';
import { overSockets } from './harness/socket-harness.js';

const versionNames: Readonly<Record<Version, string>> = { 3: '3.1', 4: '3.1.1', 5: '5.0' };

const harnesses: Readonly<Record<string, HarnessFactory>> = {
  simulated,
  'byte by byte': byteByByte,
  'over sockets': overSockets,
};

const files = readCaseFiles();

for (const [harnessName, start] of Object.entries(harnesses)) {
  describe(harnessName, () => {
    for (const file of files) describe(file.name, () => define(file, start));
  });
}

function define(file: CaseFile, start: HarnessFactory): void {
  for (const one of file.cases) {
    for (const version of versionsOf(one)) {
      test(`${versionNames[version]}: ${one.name}`, () => runCase(one, version, start));
    }
  }
}
