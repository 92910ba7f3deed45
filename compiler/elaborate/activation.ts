/** Activations in terms of primitives that are finite, with two derivatives, wherever the input is (no overflow in a branch not taken). */
import type { ActivationName } from '../../dsl/layers/layer.js';
import { binary, constantLike, mul, plus, select, times, unary } from '../ir/operations.js';
import type { Emit, Var } from '../ir/program.js';

type Activation = (emit: Emit, x: Var, slope: number) => Var;

const zeroLike = (emit: Emit, x: Var): Var => constantLike(emit, 0, x.type);

const table: { readonly [A in ActivationName]: Activation } = {
  // The constant comes first, so that the tie at 0 has derivative 0.
  relu: (emit, x) => binary(emit, 'max', zeroLike(emit, x), x),
  leakyRelu: (emit, x, slope) =>
    select(emit, binary(emit, 'greater', x, zeroLike(emit, x)), x, times(emit, x, slope)),
  elu: (emit, x) => unary(emit, 'elu', x),
  tanh: (emit, x) => unary(emit, 'tanh', x),
  sigmoid: (emit, x) => unary(emit, 'sigmoid', x),
  softplus: (emit, x) => unary(emit, 'softplus', x),
  silu: (emit, x) => mul(emit, x, unary(emit, 'sigmoid', x)),
  // x·Φ(x), Hendrycks and Gimpel 2016, by erf and not its tanh approximation.
  gelu: (emit, x) =>
    mul(emit, times(emit, x, 0.5), plus(emit, unary(emit, 'erf', times(emit, x, Math.SQRT1_2)), 1)),
};

export const activate = (emit: Emit, name: ActivationName, x: Var, slope: number): Var =>
  table[name](emit, x, slope);
