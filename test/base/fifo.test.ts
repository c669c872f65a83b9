import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fifo } from '../../src/base/fifo.js';

function drain<T>(fifo: Fifo<T>): T[] {
  const values: T[] = [];
  while (fifo.length > 0) values.push(fifo.shift()!);
  return values;
}

describe('Fifo', () => {
  it('behaves as an array does, through growing, wrapping around and emptying', () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.nat(200).map((count) => ({ push: count })) },
      { weight: 6, arbitrary: fc.nat(200).map((count) => ({ shift: count })) },
      { weight: 1, arbitrary: fc.constant({ clear: true }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const fifo = new Fifo<number>();
        let model: number[] = [];
        let next = 0;
        for (const todo of steps) {
          if ('push' in todo) {
            for (let i = 0; i < todo.push; i++) {
              fifo.push(next);
              model.push(next++);
            }
          } else if ('shift' in todo) {
            for (let i = 0; i < todo.shift; i++) expect(fifo.shift()).toBe(model.shift());
          } else {
            fifo.clear();
            model = [];
          }
          expect(fifo.length).toBe(model.length);
          expect(fifo.peek()).toBe(model[0]);
          expect([...fifo]).toEqual(model);
        }
        expect(drain(fifo)).toEqual(model);
      }),
      { numRuns: 60 },
    );
  });

  it('gives undefined when it is empty', () => {
    const fifo = new Fifo<string>();
    expect(fifo.shift()).toBeUndefined();
    expect(fifo.peek()).toBeUndefined();
    fifo.push('a');
    expect(fifo.shift()).toBe('a');
    expect(fifo.shift()).toBeUndefined();
    expect(fifo.length).toBe(0);
  });
});
