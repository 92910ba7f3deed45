/** The sphere in space with a mixture of von Mises–Fisher densities, in Archimedes' chart g(t, φ) = R (√(1−t²) cos φ, √(1−t²) sin φ, t), which keeps areas: det JᵀJ = R⁴. */
import { coordinates } from './manifold.js';
import { atLeast, elementAt } from '../../dsl/lookup.js';
import { between, integer, positive } from '../settings.js';
import { generator } from './generator.js';

type Direction = readonly [number, number, number];

/** Directions spread evenly over the sphere (the Fibonacci lattice). */
const directions = (count: number): readonly Direction[] =>
  Array.from({ length: count }, (_, i) => {
    const height = 1 - (2 * i + 1) / count;
    const around = Math.PI * (1 + Math.sqrt(5)) * i;
    const width = Math.sqrt(1 - height * height);
    return [width * Math.cos(around), width * Math.sin(around), height];
  });

/** Two directions that complete m to an orthonormal frame (Duff et al. 2017). */
const frame = ([x, y, z]: Direction): readonly [Direction, Direction] => {
  const sign = z >= 0 ? 1 : -1;
  const a = -1 / (sign + z);
  const b = x * y * a;
  return [
    [1 + sign * x * x * a, sign * b, -sign * x],
    [b, sign + y * y * a, -y],
  ];
};

/** log of κ / (2π (1 − e^−2κ)), the density at the mode; 1/4π in the limit of κ = 0. */
const logMode = (kappa: number): number =>
  kappa === 0 ? -Math.log(4 * Math.PI) : Math.log(kappa / (2 * Math.PI * -Math.expm1(-2 * kappa)));

/** cos of the angle to the mode, by inversion (Ulrich 1984). */
const cosine = (kappa: number, u: number): number =>
  kappa === 0 ? 2 * u - 1 : Math.max(-1, 1 + Math.log(u + (1 - u) * Math.exp(-2 * kappa)) / kappa);

/** `components`: how many modes of equal weight; `kappa`: their concentration, 0 for the uniform density; `radius`: R. */
export const sphere = generator(
  'sphere',
  { components: integer(3, 1, 1000), kappa: between(10, 0, 1e4), radius: positive(1) },
  ({ components, kappa, radius }) => {
    const modes = directions(components);
    const frames = modes.map(frame);
    const constant = logMode(kappa) - Math.log(components);
    const onUnit = (t: number, phi: number): Direction => {
      const width = Math.sqrt(Math.max(0, 1 - t * t));
      return [width * Math.cos(phi), width * Math.sin(phi), t];
    };
    return {
      shape: [3],
      dimension: 2,
      domain: [
        [-1, 1],
        [-Math.PI, Math.PI],
      ],
      uniforms: 3,
      latents: coordinates(3, ([which, u, v]) => {
        const i = Math.min(components - 1, Math.floor(which * components));
        const [e, f] = elementAt(frames, i);
        const w = cosine(kappa, u);
        const width = Math.sqrt(1 - w * w);
        const [along, across] = [width * Math.cos(2 * Math.PI * v), width * Math.sin(2 * Math.PI * v)];
        const [x, y, z] = atLeast(
          3,
          elementAt(modes, i).map(
            (m, axis) => w * m + along * elementAt(e, axis) + across * elementAt(f, axis),
          ),
        );
        return Float64Array.of(Math.max(-1, Math.min(1, z)), Math.atan2(y, x));
      }),
      logLatentDensity: coordinates(2, ([t, phi]) => {
        const [x, y, z] = onUnit(t, phi);
        const exponents = modes.map((m) => kappa * (m[0] * x + m[1] * y + m[2] * z - 1));
        const most = Math.max(...exponents);
        return constant + most + Math.log(exponents.reduce((sum, e) => sum + Math.exp(e - most), 0));
      }),
      embed: coordinates(2, ([t, phi]) => Float64Array.from(onUnit(t, phi), (value) => radius * value)),
      jacobian: coordinates(2, ([t, phi]) => {
        const width = Math.sqrt(1 - t * t);
        return Float64Array.of(
          ...[(-t / width) * Math.cos(phi) * radius, -width * Math.sin(phi) * radius],
          ...[(-t / width) * Math.sin(phi) * radius, width * Math.cos(phi) * radius],
          ...[radius, 0],
        );
      }),
      project: coordinates(3, ([x, y, z]) => Float64Array.of(z / Math.hypot(x, y, z), Math.atan2(y, x))),
    };
  },
);
