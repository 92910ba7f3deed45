/** What the kernels of TensorFlow and of tfjs that reduce are called. */
import type { ReductionName } from '../compiler/ir/params.js';

export const reductionKernels: { readonly [O in ReductionName]: string } = {
  add: 'Sum',
  max: 'Max',
  min: 'Min',
  mul: 'Prod',
};
