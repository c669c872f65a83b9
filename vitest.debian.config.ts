import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { reporters } from './test/support/reporters.js';

/** The tests that need Debian's own MQTT programs: `bash test/debian/run.sh` installs them first. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/debian/**/*.debian.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 1,
    ...reporters(),
  },
});
export default config;
