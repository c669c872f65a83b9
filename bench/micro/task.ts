/** One thing measured: `run` does it `operations` times. */
export interface MicroTask {
  readonly name: string;
  readonly operations: number;
  readonly run: () => void;
}

/** What a task computes is put here, so that nothing is optimised away. */
export const sink: { value: number } = { value: 0 };
