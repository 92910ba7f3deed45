/** Legalization for tfjs's wasm backend: generated loops, and the forms of products and convolutions that it runs fast. */
import type { Plan } from '../plan.js';
import type { Program } from '../program.js';
import { lowerFused } from './fused.js';
import { lowerEquation } from './plain.js';

const target = { hasFilterGradient: false };

export const lowerWasm = (program: Program): Plan =>
  lowerFused(program, (plan, eq, inputs, _shape) => lowerEquation(plan, target, eq, inputs, program.batch));
