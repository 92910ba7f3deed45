/** Examples drawn from a manifold: each a function of (manifold, seed, part, row) alone, so a larger count begins with the smaller one's examples. */
import { deriveKey, uniforms } from '../../dsl/random.js';
import { sizeOf } from '../../dsl/shape.js';
import type { Dataset, Split } from '../dataset.js';
import type { Manifold } from './manifold.js';

const parts = { train: 0, test: 1, validation: 2 } as const;

/** `count` examples of one part, with their latents. */
export const generate = (
  manifold: Manifold,
  {
    count,
    seed = 0,
    part = 'train',
  }: { readonly count: number; readonly seed?: number; readonly part?: keyof typeof parts },
): Dataset & { readonly latents: Float64Array } => {
  const { name, shape, dimension } = manifold;
  const key = deriveKey(seed, `data/${name}`);
  const width = sizeOf(shape);
  const examples = new Float32Array(count * width);
  const latents = new Float64Array(count * dimension);
  for (let row = 0; row < count; row++) {
    const z = manifold.latents(uniforms(key, [row, parts[part], 0], manifold.uniforms));
    latents.set(z, row * dimension);
    examples.set(manifold.embed(z), row * width);
  }
  return { name: `${name} (${part})`, shape, size: count, examples, latents };
};

/** Independent parts of the given sizes; no validation part where its size is 0. */
export const generateSplit = (
  manifold: Manifold,
  sizes: {
    readonly count: number;
    readonly test: number;
    readonly validation: number;
    readonly seed: number;
  },
): Split => {
  const { seed } = sizes;
  return {
    train: generate(manifold, { count: sizes.count, seed }),
    test: generate(manifold, { count: sizes.test, seed, part: 'test' }),
    ...(sizes.validation === 0
      ? {}
      : { validation: generate(manifold, { count: sizes.validation, seed, part: 'validation' }) }),
    manifold,
  };
};
