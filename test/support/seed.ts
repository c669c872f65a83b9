const USUAL = 20_261_122;

/** The usual one, or that of the environment; undefined where `SEED=random` asks for chance. */
export function fixedSeed(): number | undefined {
  const given = process.env['SEED'];
  if (given === 'random') return undefined;
  return given === undefined ? USUAL : Number(given);
}

/** The same, or a fresh one; print it so that a run can be repeated. */
export function seedFromEnvironment(): number {
  return fixedSeed() ?? Date.now() >>> 0;
}
