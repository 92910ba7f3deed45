/** Normalizing flows trained by maximum likelihood; Dinh, Sohl-Dickstein and Bengio, Density estimation using Real NVP, 2017, eq. (3). */
import {
  add,
  apply,
  dataOf,
  type Expr,
  type Flow,
  invert,
  logDet,
  neg,
  objective,
  type Scalar,
  scale,
  type Shape,
  sizeOf,
  sqNorm,
  sub,
} from '../dsl/index.js';

/** ln p(x) = ln N(z; 0, I) + ln |det ∂z/∂x|, z = f⁻¹(x), of a flow f from normal latents to data; in nats. */
export const logDensityOf =
  <Z extends Shape, X extends Shape>(flow: Flow<Z, X, 'generative', 'bijective'>) =>
  (x: Expr<NoInfer<X>>): Expr<Scalar> => {
    const inverse = invert(flow);
    const normal = sub(
      -(sizeOf(flow.input) / 2) * Math.log(2 * Math.PI),
      scale(0.5, sqNorm(apply(inverse, x))),
    );
    return add(normal, logDet(inverse, x));
  };

/** −ln p(x). */
export const maximumLikelihood = <Z extends Shape, X extends Shape>(
  flow: Flow<Z, X, 'generative', 'bijective'>,
) => objective({ negativeLogLikelihood: neg(logDensityOf(flow)(dataOf(invert(flow)))) });
