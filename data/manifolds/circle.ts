/** A circle in the plane with a von Mises density: g(θ) = R (cos θ, sin θ). */
import { coordinates } from './manifold.js';
import { between, positive, real } from '../settings.js';
import { generator } from './generator.js';
import { vonMises } from './von-mises.js';

/** `kappa`: concentration; `mean`: mean angle in radians; `radius`: R. */
export const circle = generator(
  'circle',
  { kappa: between(1, 0, 1e4), mean: real(Math.PI / 2), radius: positive(1) },
  ({ kappa, mean, radius }) => {
    const angle = vonMises(kappa);
    return {
      shape: [2],
      dimension: 1,
      domain: [[mean - Math.PI, mean + Math.PI]],
      uniforms: 1,
      latents: coordinates(1, ([u]) => Float64Array.of(mean + angle.quantile(u))),
      logLatentDensity: coordinates(1, ([theta]) => angle.logDensity(theta - mean)),
      embed: coordinates(1, ([theta]) => Float64Array.of(radius * Math.cos(theta), radius * Math.sin(theta))),
      jacobian: coordinates(1, ([theta]) =>
        Float64Array.of(-radius * Math.sin(theta), radius * Math.cos(theta)),
      ),
      project: coordinates(2, ([x, y]) => Float64Array.of(Math.atan2(y, x))),
    };
  },
);
