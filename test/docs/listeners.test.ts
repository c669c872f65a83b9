import { expect, test } from 'vitest';
import { parseConfig } from '../../src/server/config.js';
import { parseConfigFile } from '../../src/server/config-file.js';
import { listenerFaults } from '../../src/server/listener-faults.js';
import { Page } from './page.js';

const examples = new Page('docs/listeners.md').code('yaml');

test.each(examples)('an example of listeners is one: %s', (example) => {
  const source = parseConfigFile('dunlin.yaml', example);
  expect(source.faults).toEqual([]);
  const config = parseConfig(source.value);
  if (!('listen' in config)) throw new Error(JSON.stringify(config));
  expect(config.listen.flatMap(listenerFaults)).toEqual([]);
});
