import type { InlineConfig } from 'vitest/node';

/** Beside what is shown, `TEST_REPORT=file` writes the results as JSON, for programs to count. */
export function reporters(): Pick<InlineConfig, 'reporters' | 'outputFile'> {
  const file = process.env['TEST_REPORT'];
  if (file === undefined || file === '') return {};
  return { reporters: ['default', 'json'], outputFile: { json: file } };
}
