import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { reporters } from './test/support/reporters.js';

/** The tests that need Debian's own MQTT programs: `bash test/debian/run.sh` installs them first. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/debian/**/*.debian.ts'],
    // Only what hangs may come to this, however slow or busy the machine is.
    testTimeout: 180_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    maxWorkers: 1,
    // Programs that are not ours, browsers, emulators and links that lose packets run in real time
    // here, and a machine that stands still for seconds makes them give up. What is wrong with the
    // broker fails twice.
    retry: 1,
    setupFiles: ['test/support/fixed-seed.ts'],
    ...reporters(),
  },
});
export default config;
