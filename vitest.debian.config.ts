import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { reporters } from './test/support/reporters.js';

/** What needs packages of the Debian archive: `test/debian/run.sh` installs them. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/debian/**/*.test.ts'],
    testTimeout: 60_000,
    maxWorkers: 2,
    ...reporters(),
  },
});
export default config;
