/** Legalization for tfjs's wasm backend: everything as generated loops, products and convolutions packed and tiled; concatenation and padding by its own kernels. */
import type { Plan } from '../plan.js';
import { is, type Program } from '../program.js';
import { lowerConv, lowerConvFilter, lowerConvInput } from '../wasm/convolution.js';
import { lowerMatmul, lowerMatrices } from '../wasm/matmul.js';
import { lowerSolve } from './conjugate-gradients.js';
import { lowerFused, type LowerKernel } from './fused.js';
import { lowerEquation } from './plain.js';

const lowerKernel =
  (batch: number): LowerKernel =>
  (plan, eq, inputs, shape) => {
    const [a, b] = inputs;
    if (is(eq, 'conv')) return lowerConv(plan, a, b, eq.params, shape);
    if (is(eq, 'convInput')) return lowerConvInput(plan, a, b, eq.params, shape);
    if (is(eq, 'convFilter')) return lowerConvFilter(plan, a, b, eq.params, shape);
    if (is(eq, 'linear')) return lowerMatmul(plan, a, b, { transposeA: false, transposeB: false });
    if (is(eq, 'linearInput')) return lowerMatmul(plan, a, b, { transposeA: false, transposeB: true });
    if (is(eq, 'linearFilter')) return lowerMatmul(plan, a, b, { transposeA: true, transposeB: false });
    if (is(eq, 'matmul')) return lowerMatrices(plan, a, b, eq.params);
    if (is(eq, 'solveSPD')) return lowerSolve(plan, eq, inputs, batch, lowerWasm);
    return lowerEquation(plan, { hasFilterGradient: false }, eq, inputs, batch);
  };

export const lowerWasm = (program: Program): Plan => lowerFused(program, lowerKernel(program.batch));
