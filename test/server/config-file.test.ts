// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is what a file may have.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/server/config.js';
import { fromEnvironment } from '../../src/server/config-environment.js';
import { parseConfigFile } from '../../src/server/config-file.js';
import { interpolate } from '../../src/server/config-text.js';
import { loadConfig } from '../../src/server/load-config.js';

const folder = mkdtempSync(join(tmpdir(), 'dunlin-config-file-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function faults(text: string, environment = {}): readonly string[] {
  return parseConfigFile('f', text, environment).faults;
}

describe('variables in the file', () => {
  test('stand for values of any type, anywhere', () => {
    const text = `
listen:
  - url: mqtt://\${HOST:-127.0.0.1}:\${PORT}
data: "\${BASE}/x$\${y}"
limits: { qos_max: "\${QOS}", packet_bytes_max: "\${EMPTY:-64KiB}" }
`;
    const environment = { PORT: '1999', BASE: '/srv', QOS: '1', EMPTY: '' };
    const source = parseConfigFile('f', text, environment);
    expect(source.faults).toEqual([]);
    expect(parseConfig(source.value)).toMatchObject({
      listen: [{ url: { host: '127.0.0.1', port: 1999 } }],
      data: '/srv/x${y}',
      limits: { qosMax: 1, packetBytesMax: 65_536 },
    });
  });

  test('that are not set are faults with their place', () => {
    expect(faults('data: a\nlog_level: "${NOBODY}"')).toEqual([
      expect.stringMatching(
        /^f:2:12: the environment has no variable NOBODY; .*\$\{NOBODY:-value\}/,
      ),
    ]);
  });

  test.each([
    ['$NAME costs $5', '$NAME costs $5'],
    ['${A}${B}', 'ab'],
    ['${A:-x}${C:-}', 'a'],
    ['$${A}', '${A}'],
    ['${ A }', '${ A }'],
  ])('%j becomes %j', (written, text) => {
    expect(interpolate(written, { A: 'a', B: 'b' })).toEqual({ text, missing: [] });
  });
});

describe('secrets in files of their own', () => {
  const file = fileWith('secret', 'a-secret-of-32-bytes-or-even-more\r\n');
  const jwt = (line: string): string =>
    `authentication:\n  jwt:\n    algorithms: HS256\n    ${line}\n`;

  test('are read without the end of their line', () => {
    const source = parseConfigFile('f', jwt(`secret_file: ${file}`));
    expect(source.faults).toEqual([]);
    expect(parseConfig(source.value)).toMatchObject({
      authentication: { jwt: { secret: 'a-secret-of-32-bytes-or-even-more' } },
    });
  });

  test('must be there, and not twice', () => {
    expect(faults(jwt('secret_file: /nowhere'))).toEqual([
      expect.stringMatching(/^f:4:18: authentication\.jwt\.secret_file: cannot be read: ENOENT/),
    ]);
    expect(faults(jwt(`secret: x\n    secret_file: ${file}`))).toEqual([
      'f:5:18: authentication.jwt.secret_file: the value itself is there too',
    ]);
  });

  test('are for secrets alone', () => {
    expect(faults('limits:\n  qos_max_file: x')[0]).toContain('no setting limits.qos_max_file');
  });
});

test('unknown keys are told at any depth, also where they belong elsewhere', () => {
  const text = `
listen:
  - url: mqtt://127.0.0.1:1
    tls: { certifcate: x }
    limits: { queue_qos0: true }
qos_max: 1
`;
  expect(faults(text)).toEqual([
    'f:4:12: there is no setting listen[0].tls.certifcate; did you mean listen[0].tls.certificate?',
    'f:5:15: there is no setting listen[0].limits.queue_qos0; did you mean limits.queue_qos0?',
    'f:6:1: there is no setting qos_max; did you mean limits.qos_max?',
  ]);
});

test('a section may be empty, an alias may stand for one, a list of one needs no list', () => {
  const text = `
listen:
  - url: mqtt://127.0.0.1:1
    limits: &small { qos_max: 1 }
    versions: 5
  - { url: mqtt://127.0.0.1:2, limits: *small }
limits:
`;
  const source = parseConfigFile('f', text);
  expect(source.faults).toEqual([]);
  expect(parseConfig(source.value)).toMatchObject({
    listen: [{ limits: { qosMax: 1 }, versions: [5] }, { limits: { qosMax: 1 } }],
  });
});

describe('variables of the environment', () => {
  test('reach every depth, and items of lists that the file has', async () => {
    const config = fileWith('deep.yaml', 'listen: [mqtt://127.0.0.1:1, mqtt://127.0.0.1:2]');
    const loaded = await loadConfig(
      { config },
      {
        DUNLIN_LISTEN__1__LIMITS__QOS_MAX: '1',
        DUNLIN_LISTEN__1__VERSIONS: '3.1.1, 5.0',
      },
    );
    expect(loaded.listen).toMatchObject([
      { url: { port: 1 }, versions: [3, 4, 5] },
      { url: { port: 2 }, versions: [4, 5], limits: { qosMax: 1 } },
    ]);
  });

  test('give an item of a list what it is short for', async () => {
    const loaded = await loadConfig(
      {},
      {
        DUNLIN_LISTEN__0: 'mqtt://127.0.0.1:1',
        DUNLIN_AUTHORIZATION__RULES__0: 'allow publish a,b',
        DUNLIN_AUTHORIZATION__RULES__1: 'deny all c',
      },
    );
    expect(loaded.listen).toMatchObject([{ url: { port: 1 } }]);
    expect(loaded.authorization.rules).toMatchObject([
      { rule: 'allow publish a,b' },
      { rule: 'deny all c' },
    ]);
  });

  test('name files with the value, and faults name the variable', async () => {
    const data = fileWith('data', '/srv/messages\n');
    expect(await loadConfig({}, { DUNLIN_DATA_FILE: data })).toMatchObject({
      data: '/srv/messages',
    });
    expect(fromEnvironment({ DUNLIN_DATA_FILE: '/nowhere' }).faults).toEqual([
      expect.stringContaining('DUNLIN_DATA_FILE: /nowhere cannot be read'),
    ]);
    const wrong = loadConfig(
      {},
      { DUNLIN_LISTEN__0__URL: 'mqtt://127.0.0.1:1', DUNLIN_LISTEN__0__LIMITS__QOS_MAX: '5' },
    );
    await expect(wrong).rejects.toThrow(
      'DUNLIN_LISTEN__0__LIMITS__QOS_MAX: expected a whole number from 0 to 2, not "5"',
    );
  });

  test('that are nearly right are mistakes, others are not ours', () => {
    const { faults: told } = fromEnvironment({
      DUNLIN_LIMITS__QOS_MAXX: '1',
      DUNLIN_PORT_1_TCP: 'x',
    });
    expect(told).toEqual([
      'DUNLIN_LIMITS__QOS_MAXX: there is no setting DUNLIN_LIMITS__QOS_MAXX; ' +
        'did you mean DUNLIN_LIMITS__QOS_MAX?',
    ]);
  });
});
