/** Legalization for tfjs's wasm backend: everything as generated loops, products and convolutions packed and tiled; concatenation and padding by its own kernels. */
import { type Operands, operandsOf } from '../../compiler/ir/arity.js';
import type { Operand, Plan, PlanBuilder } from '../../compiler/loops/plan.js';
import { type BilinearName, isBilinear } from '../../compiler/ir/primitives/bilinear.js';
import { type EquationOf, is, type Program } from '../../compiler/ir/program.js';
import { lowerConv, lowerConvFilter, lowerConvInput } from '../../compiler/loops/convolution.js';
import { lowerMatmul, lowerMatrices } from '../../compiler/loops/matmul.js';
import { lowerSolve } from '../../compiler/loops/conjugate-gradients.js';
import { lowerFused, type LowerKernel } from '../../compiler/loops/fused.js';
import { lowerEquation, view } from '../tfjs/kernels.js';
import { withRows } from '../../compiler/loops/kernel-rows.js';

const lowerBilinear = (
  plan: PlanBuilder,
  eq: EquationOf<BilinearName>,
  [a, b]: Operands<BilinearName, Operand>,
  shape: readonly number[],
): Operand => {
  if (is(eq, 'conv')) return lowerConv(plan, a, b, eq.params, shape);
  if (is(eq, 'convInput')) return lowerConvInput(plan, a, b, eq.params, shape);
  if (is(eq, 'convFilter')) return lowerConvFilter(plan, a, b, eq.params, shape);
  return lowerMatmul(plan, a, b, {
    transposeA: eq.primitive === 'linearFilter',
    transposeB: eq.primitive === 'linearInput',
  });
};

const lowerKernel =
  (batch: number): LowerKernel =>
  (plan, eq, inputs, shape) => {
    if (is(eq, 'matmul')) {
      const [a, b] = operandsOf(eq.primitive, inputs);
      return lowerMatrices(plan, a, b, eq.params);
    }
    if (is(eq, 'solveSPD')) return lowerSolve(plan, eq, operandsOf(eq.primitive, inputs), batch, lowerWasm);
    if (!isBilinear(eq)) return lowerEquation(plan, { hasFilterGradient: false }, eq, inputs, batch);
    const rows = inputs.map((x) => view(x, withRows(eq.primitive, x.shape)));
    return view(
      lowerBilinear(plan, eq, operandsOf(eq.primitive, rows), withRows(eq.primitive, shape)),
      shape,
    );
  };

/** A function of WebAssembly has at most 1000 parameters in V8, and a loop has one for each array. */
const arrays = 1000;

export const lowerWasm = (program: Program): Plan =>
  lowerFused(program, lowerKernel(program.batch), { arrays });
