/**
 * The code of greatest posterior density of each of some examples under a Gaussian prior and normal noise: the minimum over z of
 * ‖x − g(z)‖²/(2σ²) + (z − m)ᵀS⁻¹(z − m)/2 by Levenberg and Marquardt's method (Marquardt, 1963), whose Hessian
 * JᵀJ/σ² + S⁻¹ leaves out the curvature of g.
 */
import { elementAt, float32At, float64At } from '../../dsl/lookup.js';
import { type Either, isLeft, right } from 'fp-ts/lib/Either.js';
import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import type { Problem } from '../../dsl/index.js';

/** At codes [n, d]: images [n, D], and if asked for the d columns of the Jacobian, [n, d, D]. */
export type Linearize = (
  codes: Float32Array,
) => Promise<Either<readonly Problem[], { readonly image: Float32Array; readonly columns: Float32Array }>>;

/** N(mean, precision⁻¹) over codes, and normal noise of a deviation. */
export type Posterior = { readonly mean: Float64Array; readonly precision: Matrix; readonly noise: number };

export type Mode = {
  readonly at: Float64Array;
  /** What is minimal there. */
  readonly value: number;
  /** JᵀJ/σ² + S⁻¹, and JᵀJ alone. */
  readonly hessian: Matrix;
  readonly gram: Matrix;
  /** ‖x − g(z)‖². */
  readonly square: number;
};

type Track = Mode & { readonly gradient: Float64Array; readonly damping: number; readonly done: boolean };

const ROUNDS = 40;
const FIRST_DAMPING = 1e-3;
/** Nats that a further step would gain, by the quadratic model. */
const NOTHING = 1e-9;

/** Objective, gradient and Hessian at one code. */
const modelAt = (
  { mean, precision, noise }: Posterior,
  at: Float64Array,
  residual: Float64Array,
  columns: Float32Array,
): Omit<Track, 'damping' | 'done'> => {
  const d = mean.length;
  const D = residual.length;
  const over = 1 / noise ** 2;
  const gram = Matrix.zeros(d, d);
  const gradient = new Float64Array(d);
  for (let i = 0; i < d; i++) {
    let along = 0;
    for (let k = 0; k < D; k++) along += float32At(columns, i * D + k) * float64At(residual, k);
    gradient[i] = -over * along;
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0; k < D; k++) sum += float32At(columns, i * D + k) * float32At(columns, j * D + k);
      gram.set(i, j, sum);
      gram.set(j, i, sum);
    }
  }
  let prior = 0;
  for (let i = 0; i < d; i++) {
    let pull = 0;
    for (let j = 0; j < d; j++) pull += precision.get(i, j) * (float64At(at, j) - float64At(mean, j));
    gradient[i] = float64At(gradient, i) + pull;
    prior += pull * (float64At(at, i) - float64At(mean, i));
  }
  const square = residual.reduce((sum, r) => sum + r * r, 0);
  const hessian = Matrix.add(Matrix.mul(gram, over), precision);
  return { at, value: (over * square + prior) / 2, hessian, gram, square, gradient };
};

/** −(H + λ diag H)⁻¹ ∇, and what it would gain. */
const stepOf = ({ hessian, gradient, damping }: Track) => {
  const damped = hessian.clone();
  for (let i = 0; i < damped.rows; i++) damped.set(i, i, damped.get(i, i) * (1 + damping));
  const factor = new CholeskyDecomposition(damped);
  const step = factor.isPositiveDefinite()
    ? factor.solve(Matrix.columnVector([...gradient])).to1DArray()
    : [...gradient].map(() => 0);
  return { step, gain: step.reduce((sum, s, i) => sum + s * float64At(gradient, i), 0) / 2 };
};

const flat = (rows: readonly Float64Array[]): Float32Array =>
  Float32Array.from(rows.flatMap((row) => [...row]));

/** From codes [n, d] to the modes of examples [n, D] that they lead to. */
export const modesFrom = async (
  linearize: Linearize,
  posterior: Posterior,
  examples: Float32Array,
  codes: Float32Array,
): Promise<Either<readonly Problem[], readonly Mode[]>> => {
  const d = posterior.mean.length;
  const count = codes.length / d;
  const D = examples.length / count;
  const evaluate = async (rows: readonly number[], at: readonly Float64Array[]) => {
    const found = await linearize(flat(at));
    if (isLeft(found)) return found;
    const { image, columns } = found.right;
    return right(
      rows.map((row, k) => {
        const residual = Float64Array.from(
          { length: D },
          (_, i) => float32At(examples, row * D + i) - float32At(image, k * D + i),
        );
        // What the decoder was given: codes in single precision.
        return modelAt(
          posterior,
          elementAt(at, k).map(Math.fround),
          residual,
          columns.subarray(k * d * D, (k + 1) * d * D),
        );
      }),
    );
  };
  const all = Array.from({ length: count }, (_, row) => row);
  const first = await evaluate(
    all,
    all.map((row) => Float64Array.from(codes.subarray(row * d, (row + 1) * d))),
  );
  if (isLeft(first)) return first;
  const tracks: Track[] = first.right.map((at) => ({
    ...at,
    damping: FIRST_DAMPING,
    done: !Number.isFinite(at.value),
  }));
  for (let round = 0; round < ROUNDS; round++) {
    const steps = tracks.map((track) => (track.done ? undefined : stepOf(track)));
    const rows = all.filter((row) => (steps[row]?.gain ?? 0) > NOTHING);
    if (rows.length === 0) break;
    const proposals = rows.map((row) =>
      elementAt(tracks, row).at.map((z, i) => z - (steps[row]?.step[i] ?? 0)),
    );
    const found = await evaluate(rows, proposals);
    if (isLeft(found)) return found;
    rows.forEach((row, k) => {
      const [track, next] = [elementAt(tracks, row), elementAt(found.right, k)];
      const isBetter = next.value < track.value;
      tracks[row] = isBetter
        ? { ...next, damping: track.damping / 10, done: false }
        : { ...track, damping: track.damping * 10, done: track.damping > 1e8 };
    });
  }
  return right(tracks);
};
