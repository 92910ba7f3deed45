/** The Swiss roll, a strip rolled up in space: g(t, h) = s (t cos t, h, t sin t), both latents uniform (Tenenbaum, de Silva and Langford 2000). */
import { coordinates } from './manifold.js';
import { positive } from '../settings.js';
import { generator } from './generator.js';

const [first, last] = [1.5 * Math.PI, 4.5 * Math.PI];

/** `height`: of the strip, before scaling; `scale`: s. */
export const swissRoll = generator(
  'swiss-roll',
  { height: positive(21), scale: positive(0.1) },
  ({ height, scale }) => ({
    shape: [3],
    dimension: 2,
    domain: [
      [first, last],
      [0, height],
    ],
    uniforms: 2,
    latents: coordinates(2, ([u, v]) => Float64Array.of(first + (last - first) * u, height * v)),
    logLatentDensity: () => -Math.log((last - first) * height),
    embed: coordinates(2, ([t, h]) =>
      Float64Array.of(scale * t * Math.cos(t), scale * h, scale * t * Math.sin(t)),
    ),
    jacobian: coordinates(1, ([t]) =>
      Float64Array.of(
        ...[scale * (Math.cos(t) - t * Math.sin(t)), 0],
        ...[0, scale],
        ...[scale * (Math.sin(t) + t * Math.cos(t)), 0],
      ),
    ),
  }),
);
