import fc from 'fast-check';

/** Few different levels, so that names and filters meet often; empty ones and `$` among them. */
const level = fc.constantFrom('a', 'b', 'cc', '', '$SYS', '$', 'é', 'a-long-level-of-some-bytes');

const levels = fc.array(level, { minLength: 1, maxLength: 6 });

export const topicName: fc.Arbitrary<string> = levels
  .map((all) => all.join('/'))
  .filter((name) => name !== '');

/** Valid Topic Filters, without `$share/{ShareName}/`. */
export const topicFilter: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(fc.oneof({ weight: 3, arbitrary: level }, fc.constant('+')), { maxLength: 6 }),
    fc.oneof({ weight: 2, arbitrary: fc.constant<string[]>([]) }, fc.constant(['#'])),
  )
  .map(([front, last]) => [...front, ...last].join('/'))
  .filter((filter) => filter !== '');

export const limits: { topicLevelsMax: number; topicBytesMax: number } = {
  topicLevelsMax: 200,
  topicBytesMax: 65_535,
};
