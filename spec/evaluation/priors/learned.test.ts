/** Priors that are trained, and all priors on disk: better than a Gaussian where codes are curved, normalised, and read again to the bit. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { float32At } from '../../../dsl/lookup.js';
import { fitGaussian, fitPrior, openPrior, priorNames, standardGaussian } from '../../../evaluation/index.js';
import { createWasmBackend } from '../../../backends/wasm/wasm.js';
import { left, right } from '../../shared/either.js';
import { meanOf } from '../../shared/moments.js';

const backend = await createWasmBackend();
const folder = mkdtempSync(join(tmpdir(), 'immersion-priors-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A banana in units of its own: its logarithmic density is −z₀²/2 − (z₁ − z₀² + 1)²/(2·0.3²) − ln(2π·0.3). */
const banana = (count: number, seed: number): Float32Array =>
  standardGaussian(2)
    .sample(count, seed)
    .map((value, at, all) =>
      at % 2 === 0 ? 100 + 5 * value : 0.01 * (float32At(all, at - 1) ** 2 - 1 + 0.3 * value),
    );

/** E −ln p of the banana in those units. */
const entropy = Math.log(2 * Math.PI * Math.E * 0.3) + Math.log(5 * 0.01);

const codes = banana(4000, 1);
const held = banana(2000, 2);
const gaussian = right(fitGaussian(codes, 2));
const average = (values: ArrayLike<number>): number => meanOf(Array.from(values), (x) => x);

describe.each(['flow', 'matching'] as const)('a prior by %s', (name) => {
  test('is close to a curved density, where a Gaussian is not, and comes back to the bit', async () => {
    const kept = join(folder, name);
    const prior = right(await fitPrior(name, codes, 2, { backend, folder: kept }));
    const nll = -average(await prior.logDensity(held));
    const byGaussian = -average(gaussian.logDensity(held));
    expect(byGaussian - entropy).toBeGreaterThan(0.7);
    expect(nll - entropy).toBeGreaterThan(-0.05);
    expect(nll - entropy).toBeLessThan(0.15);
    const samples = await prior.sample(4000, 3);
    // A sample is as likely under the density as a code is: the two are of one distribution.
    expect(-average(await prior.logDensity(samples))).toBeCloseTo(nll, 0);
    const again = right(await openPrior(name, kept, { backend }));
    expect(await again.sample(50, 3)).toEqual(samples.subarray(0, 100));
    expect(await again.logDensity(held)).toEqual(await prior.logDensity(held));
    prior.dispose();
    again.dispose();
  }, 120_000);

  test('is no worse than a Gaussian where codes are few and Gaussian', async () => {
    const few = gaussian.sample(60, 5);
    const prior = right(await fitPrior(name, few, 2, { backend }));
    const others = gaussian.sample(2000, 6);
    const byGaussian = -average(right(fitGaussian(few, 2)).logDensity(others));
    expect(-average(await prior.logDensity(others))).toBeLessThan(byGaussian + 0.1);
    prior.dispose();
  }, 120_000);
});

test.each(priorNames.filter((name) => name !== 'flow' && name !== 'matching'))(
  'the prior %s comes back to the bit from its file',
  async (name) => {
    const kept = join(folder, name);
    const prior = right(await fitPrior(name, codes, 2, { backend, folder: kept, components: 3 }));
    const again = right(await openPrior(name, kept, { backend }));
    expect(await again.sample(50, 3)).toEqual(await prior.sample(50, 3));
    expect(await again.logDensity(held)).toEqual(await prior.logDensity(held));
  },
);

test('what cannot be fitted, and a name there is none of, are problems', async () => {
  expect(left(await fitPrior('flow', new Float32Array(20), 2, { backend }))[0]).toMatchObject({
    path: 'codes',
    found: '10 of them',
  });
  expect(left(await fitPrior('flow', Float32Array.of(1, NaN), 2, { backend }))[0]?.path).toBe('codes[0]');
  const [unknown] = left(await openPrior(JSON.parse('"flwo"'), folder, { backend }));
  expect(unknown?.hint).toBe('did you mean "flow"?');
});
