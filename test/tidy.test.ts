import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

const LINES_MAX = 400;
const COLUMNS_MAX = 100;
/** Lines with a string in them, which no formatter breaks. */
const STRING_COLUMNS_MAX = 130;

/** A floor may import what is below it; rooms of one floor do not import each other. */
const floors = [
  ['base'],
  ['wire', 'topic'],
  ['session'],
  ['broker'],
  ['store'],
  ['transport', 'disk', 'cluster'],
  ['extensions'],
  ['server'],
];

/** Interfaces of lower floors that I/O implements are free to it; the rest of these rooms is not. */
const interfacesOnly: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  transport: { session: ['network-connection.ts'], broker: [], store: [] },
};

const pureRooms = ['base', 'wire', 'topic', 'session', 'broker', 'store'];

const bannedInPureRooms: readonly (readonly [string, RegExp])[] = [
  ['Math.random', /\bMath\.random\b/],
  ['Date', /\bDate\.now\b|\bnew Date\b/],
  ['performance', /\bperformance\./],
  ['timers', /\b(setTimeout|setInterval|setImmediate|queueMicrotask)\s*\(/],
  ['process', /\bprocess\./],
  ['node: modules', /from 'node:/],
  ['console', /\bconsole\./],
];

interface SourceFile {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

function trackedFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root });
  const paths = listed.toString().split('\n');
  return paths.filter((path) => path !== '' && existsSync(join(root, path)));
}

const paths = trackedFiles();
const files: readonly SourceFile[] = paths
  .filter((path) => /\.(ts|mts|js)$/.test(path))
  .map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return { path, text, lines: text.split('\n') };
  });
const sources = files.filter(({ path }) => path.startsWith('src/'));

/** Comments and strings say words that code may not. */
function code(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|\s)\/\/.*$/gm, '$1');
}

function findings(
  among: readonly SourceFile[],
  judge: (line: string, file: SourceFile) => string | undefined,
): string[] {
  return among.flatMap((file) =>
    code(file.text)
      .split('\n')
      .flatMap((line, i) => {
        const finding = judge(line, file);
        return finding === undefined ? [] : [`${file.path}:${i + 1}: ${finding}`];
      }),
  );
}

/** `src/wire/framer.ts` stands in the room `wire`; files outside of rooms stand above all floors. */
function roomOf(path: string): string | undefined {
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

function floorOf(room: string): number {
  return floors.findIndex((rooms) => rooms.includes(room));
}

function importsOf(file: SourceFile): string[] {
  const specifiers = file.text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g);
  return [...specifiers].map(([, specifier]) =>
    relative(root, join(root, dirname(file.path), specifier!.replace(/\.js$/, '.ts'))),
  );
}

function judgeImport(from: string, to: string): string | undefined {
  const room = roomOf(from);
  if (room === undefined) return undefined;
  const target = roomOf(to);
  if (target === undefined) return `${from} imports ${to}, which is above all floors`;
  if (room === target) return undefined;
  const free = interfacesOnly[room]?.[target];
  if (free !== undefined && !free.some((name) => to.endsWith(`/${name}`))) {
    return `${from} imports ${to}, which is no interface for it`;
  }
  const below = floorOf(target) < floorOf(room);
  return below ? undefined : `${from} imports ${to}, which is not on a floor below`;
}

test('every room stands on a floor', () => {
  const rooms = new Set(sources.flatMap(({ path }) => roomOf(path) ?? []));
  expect([...rooms].filter((room) => floorOf(room) < 0)).toEqual([]);
  expect(rooms.size).toBeGreaterThan(5);
});

test('floors import only downwards', () => {
  const wrong = sources.flatMap((file) =>
    importsOf(file).flatMap((target) => judgeImport(file.path, target) ?? []),
  );
  expect(wrong).toEqual([]);
  expect(judgeImport('src/wire/decode.ts', 'src/topic/topic-name.ts')).toContain('not on a floor');
  expect(judgeImport('src/base/fifo.ts', 'src/wire/decode.ts')).toContain('not on a floor');
  expect(judgeImport('src/server/run.ts', 'src/base/log.ts')).toBeUndefined();
});

test('simulated devices share no code with the broker', () => {
  const devices = files.filter(({ path }) => path.startsWith('firmware-sim/'));
  const wrong = devices.flatMap((file) =>
    importsOf(file).filter((target) => target.startsWith('src/')),
  );
  expect(wrong).toEqual([]);
});

test('the floors below I/O are pure', () => {
  const pure = sources.filter(({ path }) => pureRooms.includes(roomOf(path) ?? ''));
  expect(pure.length).toBeGreaterThan(10);
  const wrong = findings(pure, (line) => bannedInPureRooms.find(([, ban]) => ban.test(line))?.[0]);
  expect(wrong).toEqual([]);
});

test('numbers by chance come from Random everywhere in src', () => {
  expect(findings(sources, (line) => line.match(/Math\.random/)?.[0])).toEqual([]);
});

function columnsMax(line: string): number {
  const isComment = /^\s*(\/\*|\*|\/\/)/.test(line);
  // An end alone is the last line of a string that began above.
  const hasString = /['"`]/.test(line) || !/[;{}()[\]]/.test(line);
  return hasString && !isComment ? STRING_COLUMNS_MAX : COLUMNS_MAX;
}

test('files and lines stay short', () => {
  const limited = files.filter(({ path }) => /^(src|firmware-sim|bench)\//.test(path));
  const long = limited.filter(({ lines }) => lines.length - 1 > LINES_MAX);
  expect(long.map(({ path, lines }) => `${path}: ${lines.length - 1} lines`)).toEqual([]);
  const wide = limited.flatMap(({ path, lines }) =>
    lines.flatMap((line, i) => (line.length > columnsMax(line) ? [`${path}:${i + 1}`] : [])),
  );
  expect(wide).toEqual([]);
  expect(columnsMax("    sentence: 'a long one',")).toBe(STRING_COLUMNS_MAX);
  expect(columnsMax("   * 'quoted' in a comment")).toBe(COLUMNS_MAX);
  expect(columnsMax('const sum = a + b;')).toBe(COLUMNS_MAX);
});

test('file names are kebab-case', () => {
  const kebab = /^\.?[a-z0-9]+([.-][a-z0-9]+)*$/;
  const wrong = files.filter(({ path }) => !path.split('/').every((part) => kebab.test(part)));
  expect(wrong.map(({ path }) => path)).toEqual([]);
});

test('nothing is left for later', () => {
  // Put together, so that this file does not find itself.
  const leftovers = new RegExp(
    `\\b(${['TO', 'DO'].join('')}|${['FIX', 'ME'].join('')}|${'X'.repeat(3)})\\b`,
  );
  const found = files.flatMap(({ path, lines }) =>
    lines.flatMap((line, i) => (leftovers.test(line) ? [`${path}:${i + 1}`] : [])),
  );
  expect(found).toEqual([]);
});

test('no test is skipped or run alone', () => {
  const tests = files.filter(({ path }) => path.startsWith('test/'));
  const ban = /\b(test|it|describe)(\.\w+)*\.(only|skip|todo|skipIf|runIf|fails)\b/;
  expect(findings(tests, (line) => line.match(ban)?.[0])).toEqual([]);
});

test('the lockfile names no registry, and the content of every package that is needed', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { resolved?: string; integrity?: string; optional?: boolean }>;
  };
  const entries = Object.entries(lock.packages).filter(([name]) => name !== '');
  expect(entries.filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  // Binaries of other systems than the one the file was made on come without.
  const unknown = entries.filter(([, entry]) => entry.integrity === undefined && !entry.optional);
  expect(unknown).toEqual([]);
});
