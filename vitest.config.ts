import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { reporters } from './test/support/reporters.js';

/** What needs nothing but the npm packages; `vitest.debian.config.ts` has the rest. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Only what hangs may come to this, however slow or busy the machine is.
    testTimeout: 300_000,
    // The first file that needs the compiled broker compiles it, while others wait.
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 2,
    setupFiles: ['test/support/fixed-seed.ts'],
    ...reporters(),
  },
});
export default config;
