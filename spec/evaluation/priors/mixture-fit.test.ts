/** Expectation-maximization goes to its end: codes of a real table, beside what scikit-learn reaches on them. Made by bench/codes.ts. */
import { atLeast, elementAt } from '../../../dsl/lookup.js';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fitMixture } from '../../../evaluation/index.js';
import { right } from '../../shared/either.js';

type Fit = { readonly seed: number; readonly tolerance: number; readonly logLikelihood: number };

const fixture: {
  readonly d: number;
  readonly components: number;
  readonly peer: { readonly fits: readonly Fit[] };
  readonly codes: readonly number[];
} = JSON.parse(readFileSync(new URL('./fixtures/wine-codes.json', import.meta.url), 'utf8'));

const { d, components, peer } = fixture;
const codes = Float32Array.from(fixture.codes);
const seeds = [0, 1, 2, 3, 4, 5];
const ends = (options = {}) =>
  seeds.map((seed) => right(fitMixture(codes, d, { components, seed, ...options })));

describe('five components of the wines’ codes', () => {
  const fits = ends();

  test('are from every seed likelier than the best that scikit-learn finds from six, to the end too', () => {
    const best = Math.max(...peer.fits.map(({ logLikelihood }) => logLikelihood));
    expect(peer.fits.length).toBe(12);
    // −6.4681, from one seed of six; the others end between −6.52 and −6.62.
    expect(best).toBeCloseTo(-6.4681, 4);
    for (const { logLikelihoods } of fits) expect(logLikelihoods.at(-1)).toBeGreaterThan(best);
  });

  test('have converged: a thousandth of the tolerance gains less than a thousandth of a nat', () => {
    const further = ends({ tolerance: 1e-9 });
    fits.forEach(({ converged, rounds, logLikelihoods }, i) => {
      expect(converged).toBe(true);
      expect(rounds).toBe(logLikelihoods.length);
      expect(rounds).toBeGreaterThan(30);
      const [end, later] = [logLikelihoods.at(-1) ?? NaN, elementAt(further, i).logLikelihoods.at(-1) ?? NaN];
      expect(later - end).toBeLessThan(1e-3);
    });
  });

  test('need their starts: a start alone ends a tenth of a nat lower', () => {
    const single = ends({ restarts: 1 });
    const worst = (of: typeof fits): number =>
      Math.min(...of.map(({ logLikelihoods }) => logLikelihoods.at(-1) ?? NaN));
    expect(worst(single)).toBeLessThan(worst(fits) - 0.1);
    single.forEach(({ logLikelihoods }, i) => {
      expect(logLikelihoods.at(-1)).toBeLessThanOrEqual(
        (elementAt(fits, i).logLikelihoods.at(-1) ?? NaN) + 1e-9,
      );
    });
  });

  test('where rounds are few, the fit says that it is not done', () => {
    const [{ converged, rounds }] = atLeast(1, ends({ rounds: 9 }));
    expect([converged, rounds]).toEqual([false, 9]);
  });
});
