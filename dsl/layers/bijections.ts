/** Layers of flows that are compositions: conformal maps of vectors, and reflections. Each is its expressions both ways. */

import {
  add,
  constant,
  div,
  dot,
  exp,
  type Expr,
  log,
  max,
  mul,
  neg,
  parameter,
  scale,
  sqNorm,
  sub,
} from '../expressions/expression.js';

import type { Scalar } from '../shape.js';
import { bijection } from './flow.js';
import { normalInitializer, zeros } from './initializer.js';

type Vector<N extends number> = readonly [N];

/** x·e^s, one s for all numbers: a conformal map. [n] → [n]. */
export const scaling = <N extends number>() => {
  const logScale = (): Expr<Scalar> => parameter('logScale', zeros);
  return bijection<Vector<N>, Vector<N>>('scaling', {
    forward: (x) => scale(exp(logScale()), x),
    inverse: (y) => scale(exp(neg(logScale())), y),
    logDeterminant: (_, [n]) => scale(n, logScale()),
  });
};

/** x + b. [n] → [n]. */
export const translation = <N extends number>() => {
  const by = ([n]: Vector<N>): Expr<Vector<N>> => parameter('by', zeros, n);
  return bijection<Vector<N>, Vector<N>>('translation', {
    forward: (x, shape) => add<Vector<N>>(x, by(shape)),
    inverse: (y, shape) => sub<Vector<N>>(y, by(shape)),
    logDeterminant: () => constant(0),
  });
};

/** A shorter v than the root of this has no plane, and reflects nothing. */
const SHORTEST = 1e-20;

/** The reflection of x in the plane across v: x − 2v⟨v, x⟩/‖v‖². */
const reflected = <N extends number>(x: Expr<Vector<N>>, v: Expr<Vector<N>>): Expr<Vector<N>> =>
  sub<Vector<N>>(x, scale(div(scale(2, dot<Vector<N>>(v, x)), max(sqNorm(v), SHORTEST)), v));

const reflections = <N extends number>(name: string, count: (n: N) => number) => {
  const planes = ([n]: Vector<N>): readonly Expr<Vector<N>>[] =>
    Array.from({ length: count(n) }, (_, i) => parameter(`plane${i}`, normalInitializer(1), n));
  return bijection<Vector<N>, Vector<N>>(name, {
    forward: (x, shape) => planes(shape).reduce(reflected, x),
    inverse: (y, shape) => planes(shape).toReversed().reduce(reflected, y),
    logDeterminant: () => constant(0),
  });
};

/** So many reflections in trainable planes: any orthogonal map for as many as there are dimensions; Householder 1958. [n] → [n]. */
export const householder = <N extends number>(count = 1) => reflections<N>('householder', () => count);

/** Any rotation about the origin: an even number of reflections, as many as there are dimensions or one less. [n] → [n]. */
export const rotation = <N extends number>() => reflections<N>('rotation', (n) => n - (n % 2));

/** (x − c)/‖x − c‖² + c, a conformal map that is its own inverse; of all points but c. [n] → [n]. */
export const inversion = <N extends number>() => {
  const centre = ([n]: Vector<N>): Expr<Vector<N>> => parameter('centre', normalInitializer(1), n);
  const inverted = (x: Expr<Vector<N>>, shape: Vector<N>): Expr<Vector<N>> => {
    const from = sub<Vector<N>>(x, centre(shape));
    return add<Vector<N>>(centre(shape), scale(div(1, sqNorm(from)), from));
  };
  return bijection<Vector<N>, Vector<N>>('inversion', {
    forward: inverted,
    inverse: inverted,
    // The Jacobian is (I − 2uuᵀ)/‖x − c‖² for a unit vector u.
    logDeterminant: (x, shape) => scale(-shape[0], log(sqNorm(sub<Vector<N>>(x, centre(shape))))),
  });
};

/**
 * (x − ‖x‖²b)/(1 − 2⟨b, x⟩ + ‖b‖²‖x‖²): an inversion, a translation by −b and the inversion again, a special conformal transformation. Its inverse is
 * that of −b. [n] → [n].
 */
export const specialConformal = <N extends number>() => {
  const b = ([n]: Vector<N>): Expr<Vector<N>> => parameter('by', zeros, n);
  const factor = (x: Expr<Vector<N>>, by: Expr<Vector<N>>): Expr<Scalar> =>
    add(sub(1, scale(2, dot<Vector<N>>(by, x))), mul(sqNorm(by), sqNorm(x)));
  const mapped = (x: Expr<Vector<N>>, by: Expr<Vector<N>>): Expr<Vector<N>> =>
    scale(div(1, factor(x, by)), sub<Vector<N>>(x, scale(sqNorm(x), by)));
  return bijection<Vector<N>, Vector<N>>('specialConformal', {
    forward: (x, shape) => mapped(x, b(shape)),
    inverse: (y, shape) => mapped(y, neg(b(shape))),
    logDeterminant: (x, shape) => scale(-shape[0], log(factor(x, b(shape)))),
  });
};
