/** The seed from the environment, or a fresh one; print it so that a run can be repeated. */
export function seedFromEnvironment(): number {
  const given = process.env['SEED'];
  return given === undefined ? Date.now() >>> 0 : Number(given);
}
