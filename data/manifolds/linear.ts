/** A random linear subspace under a Gaussian: g(z) = W z with z ~ N(0, I) and entries of W normal with variance 1/d. */
import { elementAt, float64At } from '../../dsl/lookup.js';
import { deriveKey, uniforms } from '../../dsl/random.js';
import type { Vector } from './manifold.js';
import { integer } from '../settings.js';
import { generator } from './generator.js';
import { logNormal, normalDomain, normalPair } from './normal.js';

const normals = (uniform: Vector, count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) =>
    elementAt(normalPair(elementAt(uniform, 2 * (i >> 1)), elementAt(uniform, 2 * (i >> 1) + 1)), i & 1),
  );

/** `dimension`: d; `codimension`: D − d; `map`: the seed of W. */
export const linear = generator(
  'linear',
  { dimension: integer(2, 1, 1000), codimension: integer(4, 0, 10_000), map: integer(0, 0) },
  ({ dimension: d, codimension, map }) => {
    const size = d + codimension;
    const weights = normals(
      uniforms(deriveKey(map, 'data/linear/map'), [0, 0, 0], size * d + 1),
      size * d,
    ).map((weight) => weight / Math.sqrt(d));
    const even = 2 * Math.ceil(d / 2);
    return {
      shape: [size],
      dimension: d,
      domain: Array.from({ length: d }, () => normalDomain),
      uniforms: even,
      latents: (uniform) => normals(uniform, d),
      logLatentDensity: (z) => Array.from(z).reduce((sum, value) => sum + logNormal(value), 0),
      embed: (z) => {
        const latents = Float64Array.from(z);
        return Float64Array.from({ length: size }, (_, row) => {
          let sum = 0;
          for (let i = 0; i < d; i++) sum += float64At(weights, row * d + i) * float64At(latents, i);
          return sum;
        });
      },
      jacobian: () => weights,
    };
  },
);
