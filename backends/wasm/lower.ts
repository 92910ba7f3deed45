/** Legalization for tfjs's wasm backend: everything as generated loops, products and convolutions packed and tiled; concatenation and padding by its own kernels. */
import { operandsOf } from '../../compiler/ir/arity.js';
import type { Plan } from '../../compiler/loops/plan.js';
import { isBilinear } from '../../compiler/ir/primitives/bilinear.js';
import { is, type Program } from '../../compiler/ir/program.js';
import { lowerBilinear } from '../../compiler/loops/lower.js';
import { lowerMatrices } from '../../compiler/loops/matmul.js';
import { lowerSolve } from '../../compiler/loops/conjugate-gradients.js';
import { lowerFused, type LowerKernel } from '../../compiler/loops/fused.js';
import { lowerEquation } from '../tfjs/kernels.js';
import { wasmTarget } from './target.js';

const lowerKernel =
  (batch: number): LowerKernel =>
  (plan, eq, inputs, shape) => {
    if (is(eq, 'matmul')) {
      const [a, b] = operandsOf(eq.primitive, inputs);
      return lowerMatrices(plan, a, b, eq.params);
    }
    if (is(eq, 'solveSPD')) return lowerSolve(plan, eq, operandsOf(eq.primitive, inputs), batch, lowerWasm);
    if (!isBilinear(eq)) return lowerEquation(plan, { hasFilterGradient: false }, eq, inputs, batch);
    return lowerBilinear(plan, eq, inputs, shape);
  };

/** A program as the loops and kernels that the wasm backend runs. */
export const lowerWasm = (program: Program): Plan =>
  lowerFused(program, lowerKernel(program.batch), wasmTarget);
