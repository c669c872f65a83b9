// Adds up the test reports of a folder and prints `N passed, N failed` as the last line. A step that
// failed without a failed test in its report counts as one failure.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, ...failedSteps] = process.argv.slice(2);
let passed = 0;
let failed = 0;

function read(step) {
  try {
    return JSON.parse(readFileSync(join(folder, `${step}.json`), 'utf8'));
  } catch {
    return undefined;
  }
}

for (const step of ['npm', 'debian']) {
  const report = read(step);
  if (report === undefined) {
    console.log(`${step}: no test report was written`);
    failed++;
    continue;
  }
  passed += report.numPassedTests;
  // A file that does not load is a failed suite without tests.
  const files = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(isFailed),
  );
  const unfinished = report.numPendingTests + report.numTodoTests;
  failed += report.numFailedTests + files.length + unfinished;
  if (report.numFailedTests + files.length + unfinished > 0) continue;
  if (failedSteps.includes(step)) failed++;
}

function isFailed(assertion) {
  return assertion.status === 'failed';
}

if (failedSteps.length > 0) console.log(`failed steps: ${failedSteps.join(', ')}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && failedSteps.length === 0 ? 0 : 1;
