/** Runs the routines of a plan on arrays of the host. */
import { atLeast, elementAt, float32At } from '../../dsl/lookup.js';
import { choleskyFactors, solveTriangles } from '../ir/primitives/factorization.js';
import { lqFactors } from '../ir/primitives/reflections.js';
import type { Routine } from './plan.js';

const joined = (inputs: readonly Float32Array[], widths: readonly number[]): Float32Array => {
  const width = widths.reduce((sum, n) => sum + n, 0);
  const rows = elementAt(inputs, 0).length / elementAt(widths, 0);
  const whole = new Float32Array(rows * width);
  let start = 0;
  inputs.forEach((input, i) => {
    const own = elementAt(widths, i);
    for (let row = 0; row < rows; row++)
      whole.set(input.subarray(row * own, (row + 1) * own), row * width + start);
    start += own;
  });
  return whole;
};

/** The output of a routine; the inputs stay as they are. */
export const runRoutine = (routine: Routine, inputs: readonly Float32Array[]): Float32Array => {
  switch (routine.name) {
    case 'cholesky': {
      const [a] = atLeast(1, inputs);
      const factors = new Float32Array(a.length);
      choleskyFactors(a, routine.n, routine.params, factors);
      return factors;
    }
    case 'lq': {
      const [a] = atLeast(1, inputs);
      const factors = new Float32Array((a.length / routine.m) * routine.n);
      lqFactors(a, routine.n, routine.m, routine.params, factors);
      return factors;
    }
    case 'triangularSolve': {
      const [a, b] = atLeast(2, inputs);
      const x = new Float32Array(b.length);
      solveTriangles(a, b, routine.n, routine.columns, routine.params, x);
      return x;
    }
    case 'reorder': {
      const [a] = atLeast(1, inputs);
      const { order } = routine;
      return a.map((_, i) => float32At(a, i - (i % order.length) + elementAt(order, i % order.length)));
    }
    case 'join':
      return joined(inputs, routine.widths);
  }
};
