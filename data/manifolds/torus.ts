/** A torus in space whose two angles are independent von Mises: g(u, v) = ((R + r cos v) cos u, (R + r cos v) sin u, r sin v), R > r. */
import { coordinates } from './manifold.js';
import { between, positive } from '../settings.js';
import { generator } from './generator.js';
import { vonMises } from './von-mises.js';

/** `hole`: R − r, so that no setting lets the tube meet itself; `minor`: r; `kappa`: concentration of both angles. */
export const torus = generator(
  'torus',
  { hole: positive(1), minor: positive(0.5), kappa: between(1, 0, 1e4) },
  ({ hole, minor, kappa }) => {
    const major = hole + minor;
    const angle = vonMises(kappa);
    return {
      shape: [3],
      dimension: 2,
      domain: [
        [-Math.PI, Math.PI],
        [-Math.PI, Math.PI],
      ],
      uniforms: 2,
      latents: coordinates(2, ([u, v]) => Float64Array.of(angle.quantile(u), angle.quantile(v))),
      logLatentDensity: coordinates(2, ([u, v]) => angle.logDensity(u) + angle.logDensity(v)),
      embed: coordinates(2, ([u, v]) => {
        const reach = major + minor * Math.cos(v);
        return Float64Array.of(reach * Math.cos(u), reach * Math.sin(u), minor * Math.sin(v));
      }),
      jacobian: coordinates(2, ([u, v]) => {
        const reach = major + minor * Math.cos(v);
        const inward = -minor * Math.sin(v);
        return Float64Array.of(
          ...[-reach * Math.sin(u), inward * Math.cos(u)],
          ...[reach * Math.cos(u), inward * Math.sin(u)],
          ...[0, minor * Math.cos(v)],
        );
      }),
      project: coordinates(3, ([x, y, z]) =>
        Float64Array.of(Math.atan2(y, x), Math.atan2(z, Math.hypot(x, y) - major)),
      ),
    };
  },
);
