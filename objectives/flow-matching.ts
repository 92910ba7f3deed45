/**
 * Flow matching: a velocity field that carries N(0, I) to a density, dz/dt = u(z, t) from t = 0 to 1; Lipman, Chen, Ben-Hamu, Nickel and Le, Flow Matching for
 * Generative Modeling, 2023, with straight paths. The field is followed by fixed steps of the Runge–Kutta method of fourth order.
 */
import {
  add,
  apply,
  band,
  concat,
  draw,
  type Expr,
  fill,
  jvp,
  network,
  objective,
  odeSolution,
  type Scalar,
  scale,
  slice,
  sqNorm,
  sub,
  sum,
  uniform,
  type VectorField,
} from '../dsl/index.js';

type Vector<N extends number> = readonly [N];

/** u(z, t), t from 0 to 1. */
export type Velocity<N extends number> = VectorField<Vector<N>>;

/** E‖u(z, t) − (x − ε)‖² at z = (1 − t)ε + tx, ε ~ N(0, I) and t ~ U[0, 1): eq. (23) with σ = 0. */
export const flowMatching = <N extends number>(velocity: Velocity<N>, x: Expr<Vector<NoInfer<N>>>) => {
  const t = draw('time', uniform());
  const epsilon: Expr<Vector<N>> = draw<Vector<N>>('noise', { tag: 'normal', shape: velocity.input });
  const z: Expr<Vector<N>> = add<Vector<N>>(scale(sub(1, t), epsilon), scale(t, x));
  const error = sub<Vector<N>>(apply(velocity, { z, t }), sub<Vector<N>>(x, epsilon));
  return objective({ velocity: sqNorm(error) });
};

/** The field with one number more, which is the integral of its divergence: tr J in z, exactly, by as many products as there are dimensions. */
const withGrowth = <N extends number>(velocity: Velocity<N>): VectorField<readonly [number]> => {
  const [n = 0] = velocity.input;
  const shapes: { readonly z: readonly [number]; readonly t: Scalar } = { z: [n + 1], t: [] };
  return network(`${velocity.name}Growth`, shapes, ({ z: both, t }) => {
    const z: Expr<Vector<N>> = { tag: 'slice', of: both, begin: [0], size: [n] };
    const unit: Expr<readonly [number, N]> = { tag: 'basis', shape: velocity.input };
    const jacobian: Expr<readonly [number, N]> = jvp(velocity, { z, t }, unit, 'z');
    const trace = sum(band(jacobian, { below: 0, diagonal: 1, above: 0 }));
    return concat(apply(velocity, { z, t }), fill(trace, 1));
  });
};

/**
 * The field followed by fixed steps, 8 unless given: `forward` from noise to examples, `backward` from examples to noise, and ln p(x) = ln N(z₀; 0, I) − ∫ div u dt
 * along the way back (Chen, Rubanova, Bettencourt and Duvenaud, 2018, eq. 8), in nats. Each is right up to the error of the steps, which falls with their fourth power.
 */
export const transport = <N extends number>(velocity: Velocity<N>, steps = 8) => {
  const [n = 0] = velocity.input;
  const back = { from: 1, to: 0, steps };
  return {
    forward: (z: Expr<Vector<N>>) => odeSolution(velocity, z, { from: 0, to: 1, steps }),
    backward: (x: Expr<Vector<N>>) => odeSolution(velocity, x, back),
    logDensity: (x: Expr<Vector<N>>): Expr<Scalar> => {
      const end = odeSolution(withGrowth(velocity), concat(x, fill(0, 1)), back);
      const normal = sub(-(n / 2) * Math.log(2 * Math.PI), scale(0.5, sqNorm(slice(end, [0], [n]))));
      return add(normal, sum(slice(end, [n], [1])));
    },
  };
};
