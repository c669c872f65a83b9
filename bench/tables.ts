/**
 * Puts the results of `bench:compare --json` into the documents: `tsx bench/tables.ts FILE…`. Of a
 * case that is in several files the last one counts.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFolder } from '../test/support/build-if-stale.js';
import { benchSections, headlineSections, replaceSections } from './compare/document.js';
import { readResults } from './compare/saved-results.js';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: npm run bench:tables -- RESULTS.json…');
  process.exitCode = 2;
} else {
  const saved = readResults(files);
  rewrite('README.md', headlineSections(saved));
  rewrite('bench/README.md', benchSections(saved));
}

function rewrite(name: string, sections: ReadonlyMap<string, string>): void {
  const file = join(repositoryFolder, name);
  writeFileSync(file, replaceSections(readFileSync(file, 'utf8'), sections, name));
}
