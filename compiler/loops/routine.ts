/** Runs the routines of a plan on arrays of the host. */
import { choleskyFactors, solveTriangles } from '../ir/primitives/factorization.js';
import type { Routine } from './plan.js';

const joined = (inputs: readonly Float32Array[], widths: readonly number[]): Float32Array => {
  const width = widths.reduce((sum, n) => sum + n, 0);
  const rows = inputs[0].length / widths[0];
  const whole = new Float32Array(rows * width);
  let start = 0;
  inputs.forEach((input, i) => {
    for (let row = 0; row < rows; row++)
      whole.set(input.subarray(row * widths[i], (row + 1) * widths[i]), row * width + start);
    start += widths[i];
  });
  return whole;
};

/** The output of a routine; the inputs stay as they are. */
export const runRoutine = (routine: Routine, inputs: readonly Float32Array[]): Float32Array => {
  const [a, b] = inputs;
  switch (routine.name) {
    case 'cholesky': {
      const factors = new Float32Array(a.length);
      choleskyFactors(a, routine.n, routine.params, factors);
      return factors;
    }
    case 'triangularSolve': {
      const x = new Float32Array(b.length);
      solveTriangles(a, b, routine.n, routine.columns, routine.params, x);
      return x;
    }
    case 'reorder': {
      const { order } = routine;
      return a.map((_, i) => a[i - (i % order.length) + order[i % order.length]]);
    }
    case 'join':
      return joined(inputs, routine.widths);
  }
};
