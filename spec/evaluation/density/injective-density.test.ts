/** The density of a trained injective flow integrates to one over what it decodes to, measured by rulers: no Jacobian but the model's own. */
import { atLeast, elementAt, float32At } from '../../../dsl/lookup.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadData } from '../../../data/index.js';
import * as d from '../../../dsl/index.js';
import { logNormal, rectangularExact } from '../../../objectives/index.js';
import { fit, type Fitted } from '../../../runs/index.js';
import { backends } from '../../shared/backends.js';
import { right } from '../../shared/either.js';

type Half = d.Stack<readonly [number], readonly [number]>;
const hidden = (half: Half) => d.pipe(half, d.dense(16), d.tanh);

/** Trained on a manifold of `dimension` in one dimension more. */
const trained = async (dimension: number, data: string): Promise<Fitted> => {
  const D = dimension + 1;
  const flow = d.network(
    'flow',
    d.pipe(
      d.latent(dimension),
      d.elementwise(d.spline()),
      d.luLinear,
      d.inject(D),
      d.coupling({ transform: d.affine(), conditioner: hidden }),
      d.luLinear,
      d.coupling({ transform: d.affine(), part: 'first', conditioner: hidden }),
      d.luLinear,
    ),
  );
  const inverse = d.invert(flow);
  const z = d.apply(inverse, d.data(D));
  return right(
    await fit(
      d.experiment({
        encoder: inverse,
        decoder: flow,
        objective: rectangularExact(inverse, flow, { weight: 1 }),
        logDensity: d.sub(logNormal(dimension)(z), d.volume(flow, z, { method: 'exact' })),
        optimizer: d.adam({ rate: 1e-2 }),
        batch: 100,
        steps: 200,
        data,
        validation: { every: 0 },
      }),
      { data: right(await loadData(data)()), backend: backends.wasm },
    ),
  );
};

/** Σ p·size over small pieces of what a model decodes to, and the same with the density of codes in place of p. */
const totals = async (
  { logProb, encode }: Fitted,
  dimension: number,
  centres: Float32Array,
  sizes: Float64Array,
): Promise<{ readonly density: number; readonly ofCodes: number }> => {
  if (logProb === undefined) throw new Error('no density');
  const { logDensity, distance } = await logProb(centres);
  // Pieces are flat and what they stand for is not.
  expect(Math.max(...distance)).toBeLessThan(0.05);
  const codes = await encode(centres);
  const logCode = (piece: number): number =>
    codes
      .subarray(piece * dimension, (piece + 1) * dimension)
      .reduce((sum, x) => sum - x ** 2 / 2 - Math.log(2 * Math.PI) / 2, 0);
  return {
    density: sizes.reduce((sum, size, i) => sum + Math.exp(float32At(logDensity, i)) * size, 0),
    ofCodes: sizes.reduce((sum, size, i) => sum + Math.exp(logCode(i)) * size, 0),
  };
};

/** Codes out to five standard deviations; what is further out has no weight. */
const REACH = 5;
const axis = (steps: number, i: number): number => REACH * ((2 * i) / steps - 1);

const subtract = (a: readonly number[], b: readonly number[]): readonly number[] =>
  a.map((x, i) => x - elementAt(b, i));

describe('a curve in the plane', () => {
  const models: Fitted[] = [];
  beforeAll(async () => {
    models.push(await trained(1, 'sine?count=2000&test=10'), await trained(1, 'circle?count=2000&test=10'));
  });
  afterAll(() => models.forEach(({ dispose }) => dispose()));

  /** Points at equal distances along a polyline of decoded points, each in the middle of its piece. */
  test.each([
    ['sine', 0],
    ['circle', 1],
  ] as const)('trained on a %s integrates to one along its length', async (_, which) => {
    const model = elementAt(models, which);
    const steps = 4000;
    const points = await model.decode(Float32Array.from({ length: steps + 1 }, (_, i) => axis(steps, i)));
    const along = [0];
    for (let i = 1; i <= steps; i++)
      along.push(
        elementAt(along, i - 1) +
          Math.hypot(
            float32At(points, 2 * i) - float32At(points, 2 * i - 2),
            float32At(points, 2 * i + 1) - float32At(points, 2 * i - 1),
          ),
      );
    const [length, pieces] = [elementAt(along, steps), 6000];
    const centres = new Float32Array(2 * pieces);
    let at = 1;
    for (let piece = 0; piece < pieces; piece++) {
      const s = ((piece + 0.5) / pieces) * length;
      while (elementAt(along, at) < s) at++;
      const share = (s - elementAt(along, at - 1)) / (elementAt(along, at) - elementAt(along, at - 1));
      for (const k of [0, 1])
        centres[2 * piece + k] =
          float32At(points, 2 * at - 2 + k) +
          share * (float32At(points, 2 * at + k) - float32At(points, 2 * at - 2 + k));
    }
    const sizes = new Float64Array(pieces).fill(length / pieces);
    const { density, ofCodes } = await totals(model, 1, centres, sizes);
    expect(Math.abs(density - 1)).toBeLessThan(0.02);
    // Without the volume it would not.
    expect(Math.abs(ofCodes - 1)).toBeGreaterThan(0.1);
  });
});

test('a surface in space integrates to one over its area', { timeout: 30_000 }, async () => {
  const model = await trained(2, 'swiss-roll?count=2000&test=10');
  const steps = 120;
  const side = steps + 1;
  const codes = Float32Array.from({ length: 2 * side * side }, (_, i) => {
    const node = i >> 1;
    return axis(steps, i % 2 === 0 ? Math.floor(node / side) : node % side);
  });
  const points = await model.decode(codes);
  const point = (node: number): readonly number[] => [...points.subarray(3 * node, 3 * node + 3)];
  const triangles = Array.from({ length: steps * steps }, (_, cell) => {
    const corner = Math.floor(cell / steps) * side + (cell % steps);
    return [
      [corner, corner + 1, corner + side],
      [corner + 1, corner + side, corner + side + 1],
    ].map((nodes) => atLeast(3, nodes.map(point)));
  }).flat();
  const centres = Float32Array.from(
    triangles.flatMap(([a, b, c]) => a.map((x, k) => (x + elementAt(b, k) + elementAt(c, k)) / 3)),
  );
  const areas = Float64Array.from(triangles, ([a, b, c]) => {
    const [[p, q, r], [s, t, u]] = [atLeast(3, subtract(b, a)), atLeast(3, subtract(c, a))];
    return Math.hypot(q * u - r * t, r * s - p * u, p * t - q * s) / 2;
  });
  const { density, ofCodes } = await totals(model, 2, centres, areas);
  expect(Math.abs(density - 1)).toBeLessThan(0.02);
  expect(Math.abs(ofCodes - 1)).toBeGreaterThan(0.1);
  model.dispose();
});
