/**
 * Expectation-maximization (Dempster, Laird and Rubin 1977) for Gaussian mixtures with full covariances C_k ⪰ floor·I. Each
 * round is exact under that constraint (see `floored`), so the likelihood never falls.
 */
import { elementAt, float64At } from '../../dsl/lookup.js';
import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { createScatter, floored, type Scatter } from './moments.js';
import { logDensityAtMean } from './gaussian.js';
import { squaredLength, triangularInverse } from './triangular.js';

/** One Gaussian of a mixture, N(mean, LLᵀ), and its share. */
export type Component = { readonly weight: number; readonly mean: Float64Array; readonly factor: Matrix };

/** What a component is responsible for: Σr, and Σr·c and Σr·ccᵀ of the codes' distances c from a centre. */
type Statistics = {
  readonly centre: Float64Array;
  readonly sum: Float64Array;
  readonly scatter: Scatter;
  total: number;
};

/** Rows [n, d], and for each the likeliest component so far, which every round brings up to date. */
export type Codes = {
  readonly d: number;
  readonly values: Float64Array;
  readonly likeliest: Uint16Array;
};

/** A component whose density at a code is e⁻³² = 1e-14 of another's has no part in it. */
const NEGLIGIBLE = 32;

const startStatistics = (centre: Float64Array): Statistics => ({
  centre,
  sum: new Float64Array(centre.length),
  scatter: createScatter(centre.length),
  total: 0,
});

const gather = (statistics: Statistics, c: Float64Array, responsibility: number): void => {
  statistics.total += responsibility;
  for (let i = 0; i < statistics.sum.length; i++)
    statistics.sum[i] = float64At(statistics.sum, i) + responsibility * float64At(c, i);
  statistics.scatter.add(c, responsibility);
};

/** The components of greatest likelihood for given responsibilities; one that is responsible for nothing is left out. */
const maximize = (all: readonly Statistics[], count: number, floor: number): readonly Component[] =>
  all
    .filter(({ total }) => total > 0)
    .map(({ centre, sum, scatter, total }) => {
      const shift = Matrix.columnVector(sum.map((x) => x / total));
      const covariance = Matrix.sub(scatter.over(total), shift.mmul(shift.transpose()));
      return {
        weight: total / count,
        mean: centre.map((x, i) => x + shift.get(i, 0)),
        factor: new CholeskyDecomposition(floored(covariance, floor)).lowerTriangularMatrix,
      };
    });

/** The components where each is responsible for the codes whose likeliest it is. */
export const firstComponents = ({ d, values, likeliest }: Codes, floor: number): readonly Component[] => {
  const size = likeliest.reduce((most, k) => Math.max(most, k + 1), 0);
  const all = Array.from({ length: size }, () => startStatistics(new Float64Array(d)));
  likeliest.forEach((k, row) => gather(elementAt(all, k), values.subarray(row * d, (row + 1) * d), 1));
  return maximize(all, likeliest.length, floor);
};

export type Round = {
  /** ln p of a code under the components that came in, averaged over the codes. */
  readonly logLikelihood: number;
  readonly next: readonly Component[];
};

/** One round: who is responsible for each code, and the components of greatest likelihood for that. */
export const round = (
  { d, values, likeliest }: Codes,
  components: readonly Component[],
  floor: number,
): Round => {
  const n = values.length / d;
  const inverses = components.map(({ factor }) => triangularInverse(factor));
  const peaks = Float64Array.from(
    components,
    ({ weight, factor }) => Math.log(weight) + logDensityAtMean(factor),
  );
  const all = components.map(({ mean }) => startStatistics(mean));
  const centred = inverses.map(({ stride }) => new Float64Array(stride));
  const logs = new Float64Array(components.length);
  let total = 0;
  for (let row = 0; row < n; row++) {
    // One that was left out may have been it.
    const hint = elementAt(likeliest, row) < components.length ? elementAt(likeliest, row) : 0;
    let best = -Infinity;
    let winner = hint;
    for (let turn = 0; turn < components.length; turn++) {
      // The last round's winner first: most others are then out of reach after a few rows of the factor.
      const k = turn === 0 ? hint : turn <= hint ? turn - 1 : turn;
      const { centre } = elementAt(all, k);
      const c = elementAt(centred, k);
      for (let i = 0; i < d; i++) c[i] = float64At(values, row * d + i) - float64At(centre, i);
      const length = squaredLength(elementAt(inverses, k), c, 2 * (float64At(peaks, k) - best + NEGLIGIBLE));
      logs[k] = float64At(peaks, k) - length / 2;
      if (logs[k] > best) {
        best = logs[k];
        winner = k;
      }
    }
    likeliest[row] = winner;
    let sum = 0;
    for (let k = 0; k < logs.length; k++) {
      logs[k] = float64At(logs, k) > best - NEGLIGIBLE ? Math.exp(float64At(logs, k) - best) : 0;
      sum += float64At(logs, k);
    }
    for (let k = 0; k < logs.length; k++)
      if (float64At(logs, k) > 0) gather(elementAt(all, k), elementAt(centred, k), float64At(logs, k) / sum);
    total += best + Math.log(sum);
  }
  return { logLikelihood: total / n, next: maximize(all, n, floor) };
};
