/** Runs the routines of a plan on arrays of the host. */
import { atLeast } from '../../dsl/lookup.js';
import { choleskyFactors, solveTriangles } from '../ir/primitives/factorization.js';
import type { Routine } from './plan.js';

/** The output of a routine; the inputs stay as they are. */
export const runRoutine = (routine: Routine, inputs: readonly Float32Array[]): Float32Array => {
  switch (routine.name) {
    case 'cholesky': {
      const [a] = atLeast(1, inputs);
      const factors = new Float32Array(a.length);
      choleskyFactors(a, routine.n, routine.params, factors);
      return factors;
    }
    case 'triangularSolve': {
      const [a, b] = atLeast(2, inputs);
      const x = new Float32Array(b.length);
      solveTriangles(a, b, routine.n, routine.columns, routine.params, x);
      return x;
    }
  }
};
