/** How well a density was learned: a model that is the true manifold has the true density everywhere on it, and is drawn as it is. */
import { atLeast, elementAt, float64At } from '../../../dsl/lookup.js';
import { describe, expect, test } from 'vitest';
import { compile } from '../../../compiler/index.js';
import { generateSplit, linear, logDensity, type Manifold } from '../../../data/index.js';
import { adam, experiment, inject, invert, latent, luLinear, network, pipe } from '../../../dsl/index.js';
import { type DensityFit, densityFit } from '../../../evaluation/index.js';
import { densityText } from '../../../evaluation/density/density-fit.js';
import { densityDrawings, densityFigures, densityLegend } from '../../../evaluation/page/density-section.js';
import { rectangularDensity, rectangularExact } from '../../../objectives/index.js';
import { createSession, initialState } from '../../../runs/index.js';
import { fittedOf } from '../../../runs/model/fitted.js';
import { backends } from '../../shared/backends.js';
import { right } from '../../shared/either.js';

/** L, U and ln of U's diagonal of the vectors that a linear chart maps unit latents to; signs that a normal does not see make pivots positive. */
const factors = (
  manifold: Manifold,
): { readonly upper: number[]; readonly lower: number[]; readonly scale: number[] } => {
  const { dimension: d, shape } = manifold;
  const [D] = atLeast(1, shape);
  const jacobian = manifold.jacobian(new Float64Array(d));
  const [upper, lower, scale] = [new Array(D * D).fill(0), new Array(D * D).fill(0), new Array(D).fill(0)];
  let above: readonly number[] = [];
  for (let i = 0; i < d; i++) {
    const row = Array.from({ length: D }, (_, j) => float64At(jacobian, j * d + i));
    const factor = i === 0 ? 0 : elementAt(row, 0) / elementAt(above, 0);
    const rest = row.map((value, j) => value - factor * (above[j] ?? 0));
    const sign = Math.sign(elementAt(rest, i));
    rest.forEach((value, j) => (upper[i * D + j] = sign * value));
    if (i > 0) lower[i * D] = sign * factor;
    scale[i] = 3 * Math.atanh(Math.log(Math.abs(elementAt(rest, i))) / 3);
    if (i === 0) above = upper.slice(0, D);
  }
  return { upper, lower, scale };
};

/** The latents of the nearest point, by the normal equations of one or two columns. */
const leastSquares = (jacobian: ArrayLike<number>, d: number, at: readonly number[]): Float64Array => {
  const dot = (i: number, of: (row: number) => number): number =>
    at.reduce((sum, _, row) => sum + elementAt(jacobian, row * d + i) * of(row), 0);
  const right = (i: number): number => dot(i, (row) => elementAt(at, row));
  const gram = (i: number, j: number): number => dot(i, (row) => elementAt(jacobian, row * d + j));
  if (d === 1) return Float64Array.of(right(0) / gram(0, 0));
  const [b0, b1] = [right(0), right(1)];
  const det = gram(0, 0) * gram(1, 1) - gram(0, 1) ** 2;
  return Float64Array.of(
    (b0 * gram(1, 1) - b1 * gram(0, 1)) / det,
    (b1 * gram(0, 0) - b0 * gram(0, 1)) / det,
  );
};

/** The flow of an injection and a matrix that is the chart of a Gaussian on a subspace. */
const exact = async (
  d: number,
  D: number,
): Promise<{ readonly manifold: Manifold; readonly found: DensityFit }> => {
  const manifold = right(linear.make({ dimension: d, codimension: D - d }));
  const decoder = network('decoder', pipe(latent(d), inject(D), luLinear));
  const encoder = invert(decoder);
  const compiled = right(
    compile(
      experiment({
        encoder,
        decoder,
        objective: rectangularExact(encoder, decoder),
        logDensity: rectangularDensity(encoder, decoder),
        optimizer: adam({ rate: 1e-3 }),
        batch: 50,
        steps: 1,
        data: 'linear',
      }),
    ),
  );
  const initial = initialState(compiled, 0);
  const weights = new Map(Object.entries(factors(manifold)));
  const arrays = new Map(
    [...initial.arrays].map(([name, { shape, data }]) => {
      const given = name.startsWith('decoder/')
        ? weights.get(name.slice(name.lastIndexOf('/') + 1))
        : undefined;
      return [name, { shape, data: Float32Array.from(given ?? data) }];
    }),
  );
  const session = await createSession(compiled, backends.wasm, { ...initial, arrays });
  const fitted = fittedOf(compiled, session, undefined);
  const data = generateSplit(manifold, { count: 1, test: 3000, validation: 0, seed: 5 });
  const found = await densityFit(fitted, data.test, manifold);
  fitted.dispose();
  if (found === undefined) throw new Error('no density');
  return { manifold, found };
};

describe.each([
  ['a line', 1, 2],
  ['a plane', 2, 3],
] as const)('%s that is known', (_, d, D) => {
  const measured = exact(d, D);

  test('is as likely as can be, with nothing between examples and manifold', async () => {
    const { nll, optimal, distance } = (await measured).found;
    // 3,000 examples: the standard error of −ln p is √(d/2)/√3000.
    expect(Math.abs(nll - (optimal ?? NaN))).toBeLessThan(4 * Math.sqrt(d / 2 / 3000));
    expect(distance).toBeLessThan(1e-5);
  });

  test('has the true density at every point drawn', async () => {
    const { manifold, found } = await measured;
    expect(found.isCurve).toBe(d === 1);
    expect(found.learned.length).toBe(found.truth.length);
    const jacobian = manifold.jacobian(new Float64Array(d));
    for (const { at, logDensity: learned } of found.learned) {
      const z = leastSquares(jacobian, d, at);
      const [nearest, truth] = [manifold.embed(z), logDensity(manifold, z)];
      expect(Math.hypot(...at.map((value, i) => value - float64At(nearest, i)))).toBeLessThan(1e-5);
      expect(Math.abs(learned - truth)).toBeLessThan(1e-4);
    }
  });

  test('is drawn twice alike, in colours of one scale', async () => {
    const { found } = await measured;
    const drawings = densityDrawings(found);
    const colours = drawings.map((svg) => new Set([...svg.matchAll(/hsl\([^)]*\)/g)].map(([text]) => text)));
    expect(drawings).toHaveLength(2);
    expect(elementAt(drawings, 0).match(d === 1 ? /<line/g : /<circle/g)).toHaveLength(d === 1 ? 1199 : 1200);
    expect(elementAt(drawings, 1).length).toBeGreaterThan(0.9 * elementAt(drawings, 0).length);
    expect(elementAt(colours, 0).size).toBeGreaterThan(50);
    expect([...elementAt(colours, 1)].filter((one) => elementAt(colours, 0).has(one)).length).toBeGreaterThan(
      0.9 * elementAt(colours, 0).size,
    );
    expect(densityLegend(found)).toMatch(/^<p class="legend"><span>ln p −\d/);
  });
});

test('what is not in the plane or in space is told, not drawn', async () => {
  const { found } = await exact(2, 4);
  expect(densityDrawings(found)).toEqual([]);
  expect(densityFigures({ ...found, nll: -1.23456, optimal: null, distance: 0.0123456 })).toEqual([
    ['held-out negative log-likelihood', '−1.235 nats'],
    ['RMS distance from the learned manifold', '0.0123'],
  ]);
  expect(densityText({ ...found, nll: 1.23456, optimal: 1.2, distance: 0.0123456 })).toBe(
    'held-out negative log-likelihood 1.235 nats (1.200 is the least on the true manifold), at an RMS distance of 0.0123 from the learned manifold',
  );
});
