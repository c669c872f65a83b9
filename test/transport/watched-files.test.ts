import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { WatchedFiles } from '../../src/transport/watched-files.js';

/** Watches the file and counts; `next` waits for one more change. */
function watched(folder: string, name: string) {
  let count = 0;
  let tell: () => void = () => {};
  const files = new WatchedFiles([join(folder, name)], () => {
    count++;
    tell();
  });
  onTestFinished(() => files.close());
  return {
    get count() {
      return count;
    },
    next: () =>
      new Promise<void>((resolve) => {
        tell = resolve;
      }),
  };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-watched-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Where nothing tells of changes, each of four is found by looking every half minute. */
const LOOKED_FOR_MS_MAX = 300_000;

test('writing, replacing and removing are seen; other files of the folder are not', {
  timeout: LOOKED_FOR_MS_MAX,
}, async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'a.pem');
  writeFileSync(file, '1');
  const files = watched(folder, 'a.pem');
  for (const change of [
    () => writeFileSync(file, '22'),
    () => {
      writeFileSync(`${file}.new`, '33');
      renameSync(`${file}.new`, file);
    },
    () => unlinkSync(file),
    () => writeFileSync(file, '4'),
  ]) {
    const seen = files.next();
    writeFileSync(join(folder, 'other'), 'x');
    change();
    await seen;
  }
  expect(files.count).toBe(4);
});

test('a link that leads elsewhere is seen, as Kubernetes does it with secrets', async () => {
  const folder = temporaryFolder();
  for (const version of ['v1', 'v2']) {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, 'tls.crt'), version);
  }
  symlinkSync('v1', join(folder, '..data'));
  symlinkSync('..data/tls.crt', join(folder, 'tls.crt'));
  const files = watched(folder, 'tls.crt');
  const seen = files.next();
  symlinkSync('v2', join(folder, '..new'));
  renameSync(join(folder, '..new'), join(folder, '..data'));
  await seen;
  expect(files.count).toBe(1);
});
