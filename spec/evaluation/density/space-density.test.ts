/** A density over the whole space for a manifold with noise around it and a background: against closed forms, brute quadrature, and the number 1. */
import { elementAt, float32At, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { describe, expect, test as example } from 'vitest';
import type { Layer } from '../../../dsl/layers/layer.js';
import {
  fitSpaceDensity,
  type Gaussian,
  openSmoothedManifold,
  openSpaceDensity,
  type SmoothedOptions,
  standardGaussian,
} from '../../../evaluation/index.js';
import { gaussianOf } from '../../../evaluation/priors/gaussian.js';
import { mixtureOf } from '../../../evaluation/priors/mixture.js';
import { activation, dense } from '../../../laws/arbitrary/network.js';
import { smoothValuesIn } from '../../../laws/arbitrary/values.js';
import { backends } from '../../shared/backends.js';
import { left, right } from '../../shared/either.js';
import { modelOf, type Weights } from '../../shared/models.js';

const seeds = fc.nat(1e6);

const manifoldOf = async (d: number, D: number, layers: readonly Layer[], weights: Weights) => {
  const encoder = { name: 'encoder', input: [D], layers: [dense(d)] };
  return modelOf(encoder, { name: 'decoder', input: [d], layers }, { weights });
};

const affine = async (d: number, D: number, s: number) => {
  const kernel = smoothValuesIn([-1, 1], d * D, s, 'kernel');
  const bias = smoothValuesIn([-1, 1], D, s, 'bias');
  const model = await manifoldOf(d, D, [dense(D)], {
    'decoder/0.dense/kernel': kernel,
    'decoder/0.dense/bias': bias,
  });
  const A = new Matrix(
    Array.from({ length: D }, (_, k) => Array.from({ length: d }, (__, i) => float64At(kernel, i * D + k))),
  );
  return { model, A, bias };
};

/** Of Az + b + σε for z of a Gaussian. */
const image = ({ mean, factor }: Gaussian, A: Matrix, bias: Float64Array, noise: number): Gaussian => {
  const half = A.mmul(factor);
  const around = half.mmul(half.transpose()).add(Matrix.eye(A.rows, A.rows, noise ** 2));
  const middle = A.mmul(Matrix.columnVector([...mean])).to1DArray();
  return gaussianOf(
    bias.map((b, k) => b + elementAt(middle, k)),
    new CholeskyDecomposition(around).lowerTriangularMatrix,
  );
};

const aGaussian = (d: number, s: number): Gaussian => {
  const below = smoothValuesIn([-1, 1], d * d, s, 'factor');
  const L = Matrix.zeros(d, d);
  for (let i = 0; i < d; i++)
    for (let j = 0; j <= i; j++)
      L.set(i, j, i === j ? 0.5 + Math.abs(float64At(below, i * d + j)) : float64At(below, i * d + j));
  return gaussianOf(smoothValuesIn([-1, 1], d, s, 'mean'), L);
};

const closeTo = (found: Float64Array, expected: Float64Array, tolerance: number): void => {
  expect(found).toHaveLength(expected.length);
  found.forEach((log, row) =>
    expect(Math.abs(log - float64At(expected, row))).toBeLessThan(
      tolerance * (1 + Math.abs(float64At(expected, row))),
    ),
  );
};

describe('an affine decoder', () => {
  test.prop(
    [
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      fc.constantFrom(0.1, 1),
      fc.constantFrom(1, 2, 5),
      seeds,
    ],
    {
      numRuns: 12,
    },
  )('makes a Gaussian of a Gaussian prior, with any number of nodes', async (d, extra, noise, order, s) => {
    const { model, A, bias } = await affine(d, d + extra, s);
    const prior = aGaussian(d, s);
    const truth = image(prior, A, bias, noise);
    const x = truth.sample(6, s).map((value, at) => (at % 5 === 0 ? value + 1 : value));
    const opened = right(await openSmoothedManifold(model, { prior, order }));
    closeTo(right(await opened.at(x, noise)).logDensity, truth.logDensity(x), 1e-4);
    opened.dispose();
    model.dispose();
  });

  test.prop([seeds], { numRuns: 6 })('makes a mixture of a mixture', async (s) => {
    const { model, A, bias } = await affine(2, 3, s);
    const parts = [aGaussian(2, s), aGaussian(2, s + 1)];
    const truth = mixtureOf(
      [0.3, 0.7],
      parts.map((part) => image(part, A, bias, 0.3)),
    );
    const x = truth.sample(8, s);
    const opened = right(await openSmoothedManifold(model, { prior: mixtureOf([0.3, 0.7], parts) }));
    closeTo(right(await opened.at(x, 0.3)).logDensity, truth.logDensity(x), 1e-4);
    opened.dispose();
    model.dispose();
  });
});

/** A curve in the plane: z ↦ (2 tanh z, 1.5 tanh²-like bend), by two units of tanh. */
const curve = () =>
  manifoldOf(1, 2, [dense(3), activation('tanh'), dense(2)], {
    'decoder/0.dense/kernel': [0.7, 0.9, 0.9],
    'decoder/0.dense/bias': [0, 1, -1],
    'decoder/2.dense/kernel': [2, 0, 0, 1, 0, -1],
    'decoder/2.dense/bias': [0, -1],
  });

/** A bent sheet in space. */
const sheet = () =>
  manifoldOf(2, 3, [dense(4), activation('tanh'), dense(3)], {
    'decoder/0.dense/kernel': [0.6, 0, 0.7, 0.7, 0, 0.6, 0, 0],
    'decoder/0.dense/bias': [0, 0, 1, -1],
    'decoder/2.dense/kernel': [2, 0, 0, 0, 2, 0, 0, 0, 0.8, 0, 0, -0.8],
    'decoder/2.dense/bias': [0, 0, -0.8],
  });

/** ln of ∫ p(z) N(x; g(z), σ²I) dz over a grid of codes; its spacing is nothing beside the posterior's width. */
const brute = async (
  model: Awaited<ReturnType<typeof curve>>,
  d: number,
  x: Float32Array,
  noise: number,
): Promise<Float64Array> => {
  const side = d === 1 ? 4001 : 301;
  const at = (k: number): number => -6 + (12 * k) / (side - 1);
  const codes = Float32Array.from({ length: side ** d * d }, (_, i) =>
    at(d === 1 ? i : i % 2 === 0 ? Math.floor(i / 2 / side) : (i >> 1) % side),
  );
  const images = await model.decode(codes);
  const D = images.length / side ** d;
  const logs = standardGaussian(d).logDensity(codes);
  const cell = (12 / (side - 1)) ** d;
  return Float64Array.from({ length: x.length / D }, (_, row) => {
    let sum = 0;
    logs.forEach((log, k) => {
      let square = 0;
      for (let i = 0; i < D; i++) square += (float32At(x, row * D + i) - float32At(images, k * D + i)) ** 2;
      sum += Math.exp(log - square / (2 * noise ** 2));
    });
    return Math.log(sum * cell) - (D / 2) * Math.log(2 * Math.PI * noise ** 2);
  });
};

/** Points of the manifold with noise around them. */
const around = async (model: Awaited<ReturnType<typeof curve>>, d: number, count: number, noise: number) => {
  const points = await model.decode(standardGaussian(d).sample(count, 5));
  const offsets = standardGaussian(points.length).sample(1, 6);
  return points.map((value, i) => value + noise * float32At(offsets, i));
};

describe('a curved decoder', () => {
  const errors = async (d: number, noise: number, options: SmoothedOptions): Promise<number> => {
    const model = await (d === 1 ? curve() : sheet());
    const x = await around(model, d, 40, noise);
    const truth = await brute(model, d, x, noise);
    const opened = right(await openSmoothedManifold(model, options));
    const { logDensity } = right(await opened.at(x, noise));
    opened.dispose();
    model.dispose();
    return Math.max(...logDensity.map((log, row) => Math.abs(log - float64At(truth, row))));
  };

  example('has the density of brute quadrature, in the plane and in space', async () => {
    expect(await errors(1, 0.1, {})).toBeLessThan(2e-3);
    expect(await errors(2, 0.2, {})).toBeLessThan(2e-2);
  });

  example('has an error with one node that falls with the noise, and with the nodes', async () => {
    const [wide, narrow] = [await errors(1, 0.1, { order: 1 }), await errors(1, 0.02, { order: 1 })];
    expect(narrow).toBeLessThan(wide / 2);
    expect(await errors(1, 0.1, { order: 5 })).toBeLessThan(wide / 2);
    expect(wide).toBeLessThan(0.3);
  });

  example(
    'is, where noise is small, the density on the manifold times that of the distance from it',
    async () => {
      const model = await curve();
      const noise = 2e-3;
      const [t, h] = [0.4, 1e-3];
      const [at, before, after] = [
        await model.decode(Float32Array.of(t)),
        await model.decode(Float32Array.of(t - h)),
        await model.decode(Float32Array.of(t + h)),
      ];
      const tangent = [0, 1].map((i) => (float32At(after, i) - float32At(before, i)) / (2 * h));
      const speed = Math.hypot(...tangent);
      const offset = 1.5 * noise;
      const x = Float32Array.of(
        float32At(at, 0) - (offset * elementAt(tangent, 1)) / speed,
        float32At(at, 1) + (offset * elementAt(tangent, 0)) / speed,
      );
      const onManifold = float64At(standardGaussian(1).logDensity(Float64Array.of(t)), 0) - Math.log(speed);
      const normal = -0.5 * Math.log(2 * Math.PI) - Math.log(noise) - 1.5 ** 2 / 2;
      const opened = right(await openSmoothedManifold(model));
      expect(float64At(right(await opened.at(x, noise)).logDensity, 0)).toBeCloseTo(onManifold + normal, 1);
      opened.dispose();
      model.dispose();
    },
  );

  example('that folds has the sum of both sheets', async () => {
    const model = await manifoldOf(1, 2, [dense(2, false), activation('softplus'), dense(2, false)], {
      'decoder/0.dense/kernel': [1, -1],
      'decoder/2.dense/kernel': [1, 0.5, 1, 0.5],
    });
    const x = await model.decode(Float32Array.of(-2.5, -1.6, 1.6, 2.5));
    const truth = await brute(model, 1, x, 0.05);
    const opened = right(await openSmoothedManifold(model));
    closeTo(right(await opened.at(x, 0.05)).logDensity, truth, 1e-3);
    opened.dispose();
    model.dispose();
  });
});

/** Centres of cells of the cube [−reach, reach]^D, and their size. */
const cells = (D: number, reach: number, width: number) => {
  const side = Math.ceil((2 * reach) / width);
  return Float32Array.from({ length: side ** D * D }, (_, at) => {
    const cell = Math.floor(Math.floor(at / D) / side ** (at % D)) % side;
    return -reach + width * (cell + 0.5);
  });
};

describe('the density over the whole space', () => {
  // Of a density that is smooth over σ a sum over cells as wide as σ is off by e^(−2π²).
  example.each([
    ['in the plane', 1, 2, 0.15, {}],
    ['in space', 2, 3, 0.4, { order: 8 }],
  ] as const)('integrates to 1 %s, and so do both of its parts', async (_, d, D, noise, options) => {
    const model = await (d === 1 ? curve() : sheet());
    const background = gaussianOf(new Float64Array(D), Matrix.eye(D, D));
    const opened = right(await openSpaceDensity(model, { ...options, background, share: 0.8, noise }));
    const found = right(await opened.at(cells(D, 3.9, noise)));
    for (const part of ['foreground', 'background', 'logDensity'] as const) {
      const integral = found[part].reduce((sum, log) => sum + Math.exp(log), 0) * noise ** D;
      expect(Math.abs(integral - 1)).toBeLessThan(1e-3);
    }
    opened.dispose();
    model.dispose();
  });

  example('far from the manifold is that of the background', async () => {
    const model = await curve();
    const background = gaussianOf(new Float64Array(2), Matrix.eye(2, 2, 3));
    const opened = right(await openSpaceDensity(model, { background, share: 0.9, noise: 0.01 }));
    const x = Float32Array.of(5, 5, -4, 3);
    closeTo(
      right(await opened.at(x)).logDensity,
      background.logDensity(x).map((log) => log + Math.log(0.1)),
      1e-6,
    );
    opened.dispose();
    model.dispose();
  });

  example('fitted to a mixture finds its share and its noise', async () => {
    const model = await curve();
    const [share, noise, count] = [0.7, 0.1, 600];
    const background = gaussianOf(Float64Array.of(0, 0), Matrix.eye(2, 2, 2));
    const on = await around(model, 1, Math.round(count * share), noise);
    const off = background.sample(Math.round(count * (1 - share)), 9);
    const found = right(await fitSpaceDensity(model, Float32Array.of(...on, ...off), { background }));
    expect(Math.abs(found.share - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / count));
    expect(Math.abs(found.noise / noise - 1)).toBeLessThan(0.15);
    const mean = (values: Float64Array): number => values.reduce((sum, v) => sum + v, 0) / values.length;
    const unseen = Float32Array.of(...(await around(model, 1, 70, noise)), ...background.sample(30, 10));
    const truth = right(await openSpaceDensity(model, { background, share, noise }));
    const [fitted, best] = [
      right(await found.at(unseen)).logDensity,
      right(await truth.at(unseen)).logDensity,
    ];
    expect(Math.abs(mean(fitted) - mean(best))).toBeLessThan(0.05);
    found.dispose();
    truth.dispose();
    model.dispose();
  });

  example('needs a share between 0 and 1, a noise, and examples, and leaves nothing behind', async () => {
    const before = backends.wasm.liveCount();
    const model = await curve();
    const background = standardGaussian(2);
    const wrong = left(await openSpaceDensity(model, { background, share: 1, noise: 0 }));
    expect(wrong.map(({ path }) => path)).toEqual(['share', 'noise']);
    expect(left(await fitSpaceDensity(model, new Float32Array(3), { background }))).toMatchObject([
      { path: 'examples' },
    ]);
    right(await fitSpaceDensity(model, new Float32Array(8), { background })).dispose();
    model.dispose();
    expect(backends.wasm.liveCount()).toBe(before);
  });
});
