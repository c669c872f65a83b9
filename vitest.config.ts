import { configDefaults, defineConfig, type ViteUserConfig } from 'vitest/config';
import { reporters } from './test/support/reporters.js';

/** What needs nothing but the npm packages. */
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, 'test/debian/**'],
    testTimeout: 20_000,
    maxWorkers: 2,
    ...reporters(),
  },
});
export default config;
