import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryFolder } from '../support/build-if-stale.js';
import { Page } from './page.js';

const names = readdirSync(join(repositoryFolder, 'docs')).filter((name) => name.endsWith('.md'));
const pages = names.map((name) => new Page(`docs/${name}`));
if (existsSync(join(repositoryFolder, 'README.md'))) pages.push(new Page('README.md'));

function judge(page: Page, link: string): string | undefined {
  if (/^https?:/.test(link)) return undefined;
  const [file, anchor] = link.split('#') as [string, string | undefined];
  const path = file === '' ? page.path : normalize(join(dirname(page.path), file));
  if (!existsSync(join(repositoryFolder, path))) return `${page.path}: ${link} is not there`;
  if (anchor === undefined) return undefined;
  return new Page(path).anchors().includes(anchor)
    ? undefined
    : `${page.path}: ${path} has no heading for #${anchor}`;
}

test('links lead to files and headings that are there', () => {
  const found = pages.flatMap((page) => page.links().map((link) => judge(page, link)));
  expect(found.length).toBeGreaterThan(10);
  expect(found.filter((fault) => fault !== undefined)).toEqual([]);
  expect(judge(pages[0]!, 'nowhere.md')).toContain('is not there');
  expect(judge(pages[0]!, 'operations.md#nothing')).toContain('no heading');
});
