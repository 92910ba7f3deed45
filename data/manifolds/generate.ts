/** Examples drawn from a manifold: each a function of (manifold, seed, part, row) alone, so a larger count begins with the smaller one's examples. */
import type { Problem } from '../../dsl/problem.js';
import { deriveKey, uniforms } from '../../dsl/random.js';
import { sizeOf } from '../../dsl/shape.js';
import type { Dataset, Split } from '../dataset.js';
import { memoryProblem } from '../memory.js';
import { integer, type ValuesOf } from '../settings.js';
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

/** How many examples a generator draws, and from which seed. */
export const drawSettings = {
  count: integer(10_000, 1, 2 ** 24),
  test: integer(2000, 0, 2 ** 24),
  validation: integer(0, 0, 2 ** 24),
  seed: integer(0, 0),
} as const;

type Sizes = ValuesOf<typeof drawSettings>;

/** More examples than there is memory for. */
export const generatorProblems = (
  { name, shape, dimension }: Manifold,
  { count, test, validation }: Sizes,
  limit?: number,
): readonly Problem[] => {
  const rows = count + test + validation;
  const bytes = rows * (4 * sizeOf(shape) + 8 * dimension);
  const tooMuch = memoryProblem(`${name}?count`, bytes, `${rows} examples of ${sizeOf(shape)} numbers`, {
    limit,
  });
  return tooMuch === undefined ? [] : [tooMuch];
};

/** Independent parts of the given sizes; no validation part where its size is 0. */
export const generateSplit = (manifold: Manifold, sizes: Sizes): Split => {
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
