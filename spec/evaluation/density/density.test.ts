/** Densities that may be reported: exact, integrating to one, with the distance from the manifold beside them; surrogates are refused. */
import { elementAt } from '../../../dsl/lookup.js';
import { describe, expect, test } from 'vitest';
import { compile } from '../../../compiler/index.js';
import { generateSplit, linear } from '../../../data/index.js';
import * as d from '../../../dsl/index.js';
import { logDensityOf, maximumLikelihood } from '../../../objectives/index.js';
import { createSession, fit, initialState, type LogProb } from '../../../runs/index.js';
import { backends } from '../../shared/backends.js';
import { left, right } from '../../shared/either.js';

const line = d.network('line', d.pipe(d.latent(1), d.inject(2), d.luLinear));
const x = d.data(2);
const z = d.apply(d.invert(line), x);
const speed = d.jvp(line, z, d.fill(1, 1));
const logNormal = d.sub(-0.5 * Math.log(2 * Math.PI), d.scale(0.5, d.sqNorm(z)));
const spec = d.experiment({
  encoder: d.invert(line),
  decoder: line,
  objective: { reconstruction: d.sqNorm(d.sub(x, d.apply(line, z))) },
  logDensity: d.sub(logNormal, d.log(d.norm(speed))),
  optimizer: d.adam({ rate: 1e-3 }),
  batch: 8,
  steps: 1,
  data: 'sine',
});

/** z ↦ (e^s z, e^s u z) + b, and its inverse x ↦ e^−s (x₀ − b₀). */
const [s, u, b] = [0.5, 1.5, [0.25, -1]] as const;
const scale = Math.exp(3 * Math.tanh(s / 3));

const model = async (upper: number): Promise<(examples: readonly number[]) => Promise<LogProb>> => {
  const compiled = right(compile(spec));
  const initial = initialState(compiled, 0);
  const weights: Readonly<Record<string, readonly number[]>> = {
    'line/1.luLinear/upper': [0, upper, 0, 0],
    'line/1.luLinear/scale': [s, 0],
    'line/1.luLinear/bias': b,
  };
  const arrays = new Map(
    [...initial.arrays].map(([name, { shape, data }]) => [
      name,
      { shape, data: Float32Array.from(weights[name] ?? data) },
    ]),
  );
  const session = await createSession(compiled, backends.wasm, { ...initial, arrays });
  return async (examples) => {
    if (session.logProb === undefined) throw new Error('no density');
    return session.logProb(Float32Array.from(examples));
  };
};

test('on a line it is the normal density over the stretching, with the distance beside it', async () => {
  const logProb = await model(u);
  const points = [0.3, 0.1, -2, 4, 0.25, -1, 7, 7, 1, 1, 0, 0, 3, -3, 5, 5, -6, 2] as const;
  const { logDensity, distance } = await logProb(points);
  expect(logDensity).toHaveLength(9);
  for (let i = 0; i < 9; i++) {
    const code = (elementAt(points, 2 * i) - b[0]) / scale;
    const stretch = Math.hypot(scale, u);
    const expected = -0.5 * Math.log(2 * Math.PI) - (code * code) / 2 - Math.log(stretch);
    expect(logDensity[i]).toBeCloseTo(expected, 4);
    expect(distance[i]).toBeCloseTo(Math.abs(elementAt(points, 2 * i + 1) - (u * code + b[1])), 4);
  }
});

test('where it is not a number there is an error, not a number', async () => {
  const logProb = await model(u);
  await expect(logProb([0, 0, Number.NaN, 1])).rejects.toMatchObject({
    problem: {
      path: 'logDensity',
      found: expect.stringContaining('1 of 2 examples, the first of them number 1'),
    },
  });
});

test('an experiment without a density has no logProb', async () => {
  const { logDensity: _, ...rest } = spec;
  const compiled = right(compile(rest));
  const session = await createSession(compiled, backends.wasm, initialState(compiled, 0));
  expect(session.logProb).toBeUndefined();
  session.dispose();
});

describe('refused', () => {
  test('a density with a draw in it', () => {
    const v = d.draw('v', d.sphere(1));
    const logDensity = d.sub(logNormal, d.log(d.norm(d.jvp(line, z, v))));
    expect(left(compile({ ...spec, logDensity })).map(d.showProblem)).toMatchInlineSnapshot(`
      [
        "logDensity.right.of.of.tangent: found the draw "v", expected an exact density: no draw (a stochastic surrogate can be trained on, not reported as a likelihood)",
      ]
    `);
  });

  test('a density that is no scalar', () => {
    const vector: d.Node = x;
    expect(left(compile({ ...spec, logDensity: vector })).map(d.showProblem)).toMatchInlineSnapshot(`
      [
        "logDensity: found [2], expected a scalar, ln p of one example",
      ]
    `);
  });
});

/** A flow trained for a moment on a plane Gaussian, and E_q[p/q] for a wider normal q: 1 for a density. */
test('the density of a trained flow integrates to one', { timeout: 60_000 }, async () => {
  const half = (stack: d.Stack<readonly [number], readonly [number]>) => d.pipe(stack, d.dense(8), d.tanh);
  const flow = d.network(
    'flow',
    d.pipe(
      d.latent(2),
      d.luLinear,
      d.coupling({ transform: d.spline(), conditioner: half }),
      d.coupling({ transform: d.affine(), part: 'first', conditioner: half }),
    ),
  );
  const data = generateSplit(right(linear.make({ dimension: 2, codimension: 0 })), {
    count: 2000,
    test: 10,
    validation: 0,
    seed: 0,
  });
  const fitted = right(
    await fit(
      d.experiment({
        encoder: d.invert(flow),
        decoder: flow,
        objective: maximumLikelihood(flow),
        logDensity: logDensityOf(flow)(x),
        optimizer: d.adam({ rate: 1e-2 }),
        batch: 100,
        steps: 150,
        data: 'linear',
        validation: { every: 0 },
      }),
      { data, backend: backends.wasm },
    ),
  );
  const width = 3;
  const side = 160;
  const grid = Float32Array.from({ length: 2 * side * side }, (_, i) => {
    const cell = i % 2 === 0 ? Math.floor(i / 2 / side) : (i >> 1) % side;
    return width * (((2 * cell + 1) / side - 1) * 2);
  });
  if (fitted.logProb === undefined) throw new Error('no density');
  const { logDensity, distance } = await fitted.logProb(grid);
  const area = ((4 * width) / side) ** 2;
  expect(Math.abs(logDensity.reduce((sum, l) => sum + Math.exp(l), 0) * area - 1)).toBeLessThan(0.02);
  expect(Math.max(...distance)).toBeLessThan(1e-4);
  fitted.dispose();
});
