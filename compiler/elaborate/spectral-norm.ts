/** Elaborates spectral normalisation: the power method on a linear map, with its left singular vector u as running state. */
import { normalInitializer } from '../../dsl/layers/initializer.js';
import type { SpectralLayer } from '../../dsl/layers/layer.js';
import { binary, constantLike, fillShape, mul, sumAll, unary } from '../ir/operations.js';
import type { Emit, Var } from '../ir/program.js';
import { bindState } from './context.js';
import { scaledNorm } from './scaled-norm.js';
import { emitOf, type Site } from './site.js';

/** x ↦ Wx for one x or one for each row, its transpose, and the shape of Wx. */
export type LinearMap = {
  readonly output: readonly number[];
  readonly forward: (x: Var) => Var;
  readonly backward: (y: Var) => Var;
};

/** x ↦ x·W of a matrix [n,m]. */
export const matrixMap = (emit: Emit, matrix: Var): LinearMap => ({
  output: matrix.type.shape.slice(1),
  forward: (x) => emit('linear', {}, [x, matrix]),
  backward: (y) => emit('linearInput', {}, [y, matrix]),
});

/** x / by, zero where the scalar `by` is. */
const over = (emit: Emit, x: Var, by: Var): Var => {
  const inverse = binary(emit, 'divNoNan', constantLike(emit, 1, by.type), by);
  return mul(emit, x, fillShape(emit, inverse, x.type.shape));
};

/** x/‖x‖, held constant. */
const direction = (emit: Emit, x: Var): Var => unary(emit, 'stop', over(emit, x, scaledNorm(emit, x)));

/**
 * The kernel divided by the top singular value of `map`. Training: v = Wᵀu/‖Wᵀu‖, u = Wv/‖Wv‖ as often as the layer says, then
 * σ = uᵀWv, so that dσ = uᵀ dW v (Miyato et al. 2018, section 2.1 and algorithm 1). Evaluation: σ = ‖Wᵀu‖ for the stored u.
 */
export const normalised = (site: Site<SpectralLayer>, kernel: Var, map: LinearMap): Var => {
  const { context, layer, place } = site;
  const emit = emitOf(site);
  const name = `${place.name}/u`;
  const stored = bindState(context, { name, shape: map.output, initializer: normalInitializer(1) });
  const start = direction(emit, stored);
  if (context.mode === 'inference') return over(emit, kernel, scaledNorm(emit, map.backward(start)));
  let u = start;
  let image = start;
  for (let i = 0; i < layer.iterations; i++) {
    image = map.forward(direction(emit, map.backward(u)));
    u = direction(emit, image);
  }
  if (!context.nextStates.has(name)) context.nextStates.set(name, u);
  return over(emit, kernel, sumAll(emit, mul(emit, u, image)));
};
