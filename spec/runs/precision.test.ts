/** Likelihoods in double precision are what formulas say, where the columns of a Jacobian are next to dependent; what would take too long is refused. */
import { describe, expect, test } from 'vitest';
import { elementAt, float64At } from '../../dsl/lookup.js';
import {
  adam,
  constant,
  dense,
  experiment,
  input,
  network,
  pipe,
  showProblem,
  sqNorm,
  dataOf,
  tanh,
} from '../../dsl/index.js';
import { rectangularDensity } from '../../objectives/index.js';
import { BackendFailure } from '../../backends/failure.js';
import { prepareRun } from '../../runs/index.js';
import { smoothValuesIn } from '../../laws/arbitrary/values.js';
import { backends } from '../shared/backends.js';
import { right } from '../shared/either.js';

type Vector = readonly number[];
const dot = (a: Vector, b: Vector): number => a.reduce((sum, x, i) => sum + x * elementAt(b, i), 0);

/** Each vector without those before it, twice, and its length then: Gram and Schmidt. */
const heights = (vectors: readonly Vector[]) => {
  const units: Vector[] = [];
  const lengths = vectors.map((vector) => {
    let rest = vector;
    for (let again = 0; again < 2; again++)
      for (const unit of units) {
        const along = dot(rest, unit);
        rest = rest.map((x, i) => x - along * elementAt(unit, i));
      }
    const length = Math.sqrt(dot(rest, rest));
    units.push(rest.map((x) => x / length));
    return length;
  });
  return { units, lengths };
};

const [d, D, count] = [8, 30, 6];

const rowsOf = (values: Float64Array, width: number): readonly Vector[] =>
  Array.from({ length: values.length / width }, (_, row) => [
    ...values.subarray(row * width, (row + 1) * width),
  ]);

/** d rows of D singles, whose singular values fall evenly from 1 to 1/κ, mixed. */
const kernelOf = (kappa: number): readonly Vector[] => {
  const { units } = heights(rowsOf(smoothValuesIn([-1, 1], d * D, 3, 'basis'), D));
  const { units: mix } = heights(rowsOf(smoothValuesIn([-1, 1], d * d, 4, 'mix'), d));
  return mix.map((weights) =>
    Array.from({ length: D }, (_, j) =>
      Math.fround(
        units.reduce(
          (sum, unit, k) => sum + elementAt(weights, k) * kappa ** (-k / (d - 1)) * elementAt(unit, j),
          0,
        ),
      ),
    ),
  );
};

const modelOf = async (bent: boolean, kappa: number) => {
  const encoder = network('encoder', pipe(input(D), dense(d, { bias: false })));
  const decoder = bent
    ? network('decoder', pipe(input(d), tanh, dense(D, { bias: false })))
    : network('decoder', pipe(input(d), dense(D, { bias: false })));
  const kernel = kernelOf(kappa);
  const codes = rowsOf(smoothValuesIn([-0.3, 0.3], D * d, 5, 'encoder').map(Math.fround), d);
  const spec = experiment({
    encoder,
    decoder,
    objective: { size: sqNorm(dataOf(encoder)) },
    logDensity: rectangularDensity(encoder, decoder),
    optimizer: adam({ rate: constant(1e-3) }),
    batch: 4,
    steps: 1,
    data: 'none',
    validation: { every: 0 },
  });
  const examples = Float64Array.from(smoothValuesIn([-1, 1], count * D, 6, 'data'));
  const set = { name: 'none', shape: [D], size: count, examples: Float32Array.from(examples) };
  const arrays = new Map([
    ['encoder/0.dense/kernel', { shape: [D, d], data: Float32Array.from(codes.flat()) }],
    [`decoder/${bent ? 1 : 0}.dense/kernel`, { shape: [d, D], data: Float32Array.from(kernel.flat()) }],
  ]);
  const data = { train: set, test: set };
  const { fitted } = right(
    await prepareRun(spec, { data, backend: backends.wasm, heldOut: 0, state: { seed: 0, step: 0, arrays } }),
  );
  const volume = heights(kernel).lengths.reduce((sum, length) => sum + Math.log(length), 0);
  const expected = Float64Array.from({ length: count }, (_, row) => {
    const z = Array.from({ length: d }, (__, k) =>
      codes.reduce((sum, weights, j) => sum + float64At(examples, row * D + j) * elementAt(weights, k), 0),
    );
    const slopes = bent ? z.reduce((sum, x) => sum + Math.log1p(-(Math.tanh(x) ** 2)), 0) : 0;
    return -dot(z, z) / 2 - (d / 2) * Math.log(2 * Math.PI) - volume - slopes;
  });
  return { fitted, examples, expected };
};

/** Conditions of JᵀJ up to 5e7, and of J itself. */
describe.each([1e3, Math.sqrt(5e7), 1e6, 5e7])('where J has condition %d', (kappa) => {
  test.each([false, true])('ln p is the formula’s to 1e-9 (bent: %s)', async (bent) => {
    const { fitted, examples, expected } = await modelOf(bent, kappa);
    const { logDensity, distance } = await fitted.logProb(examples, { precision: 'double' });
    expected.forEach((value, row) =>
      expect(Math.abs(float64At(logDensity, row) / value - 1)).toBeLessThan(1e-9),
    );
    expect(distance).toHaveLength(count);
    // By a prior of one's own the same, on the way by the decoder's Jacobian.
    const prior = { logDensity: (codes: ArrayLike<number>) => new Float64Array(codes.length / d) };
    const by = await fitted.logProb(examples, { precision: 'double', prior });
    const codes = await fitted.encode(examples, { precision: 'double' });
    by.logDensity.forEach((value, row) => {
      const z = [...codes.subarray(row * d, (row + 1) * d)];
      const whole = value - dot(z, z) / 2 - (d / 2) * Math.log(2 * Math.PI);
      expect(Math.abs(whole / float64At(expected, row) - 1)).toBeLessThan(1e-9);
    });
    fitted.dispose();
  });
});

test('single precision has four digits less, or none', async () => {
  const { fitted, examples, expected } = await modelOf(true, 1e3);
  const { logDensity } = await fitted.logProb(Float32Array.from(examples));
  expect(Math.abs((logDensity[0] ?? NaN) / float64At(expected, 0) - 1)).toBeGreaterThan(1e-9);
  fitted.dispose();
  const worse = await modelOf(true, 5e7);
  await expect(worse.fitted.logProb(Float32Array.from(examples))).rejects.toThrow(/logDensity/);
  worse.fitted.dispose();
});

test('the terms of a set are means in double precision', async () => {
  const { fitted, examples } = await modelOf(false, 10);
  const set = { name: 'set', shape: [D], size: count, examples: Float32Array.from(examples) };
  const { terms } = await fitted.evaluate(set, { precision: 'double' });
  const sum = set.examples.reduce((total, x) => total + x * x, 0);
  expect(Math.abs((terms['size'] ?? NaN) / (sum / count) - 1)).toBeLessThan(1e-14);
  fitted.dispose();
});

test('what would take the host too long is refused', async () => {
  const [n, rows] = [400, 500];
  const encoder = network('encoder', pipe(input(n), dense(n)));
  const decoder = network('decoder', pipe(input(n), dense(n)));
  const spec = experiment({
    encoder,
    decoder,
    objective: { size: sqNorm(dataOf(encoder)) },
    logDensity: rectangularDensity(encoder, decoder),
    optimizer: adam({ rate: constant(1e-3) }),
    batch: 4,
    steps: 1,
    data: 'none',
    validation: { every: 0 },
  });
  const set = { name: 'none', shape: [n], size: rows, examples: new Float32Array(rows * n) };
  const { fitted } = right(
    await prepareRun(spec, { data: { train: set, test: set }, backend: backends.wasm, heldOut: 0 }),
  );
  const failure = await fitted
    .logProb(set.examples, { precision: 'double' })
    .catch((error: unknown) => error);
  expect(failure instanceof BackendFailure && showProblem(failure.problem)).toMatch(
    /^precision: found "double" for 500 examples of \S+ FLOPs each \(density\), expected at most 1e\+11 FLOPs, since it is computed without a backend \(take \d+ examples, or use "single"\)$/,
  );
  fitted.dispose();
});
