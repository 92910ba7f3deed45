/** How much volume a decoder gives to a code: ½ ln det (SJ)ᵀ(SJ), J its Jacobian there, S diagonal; in double precision from d JVPs. */
import { isLeft } from 'fp-ts/lib/Either.js';
import {
  data,
  draw,
  jvp,
  type Network,
  type NetworkValue,
  type Problem,
  problem,
  scale,
  type Shape,
  sizeOf,
} from '../../dsl/index.js';
import { BackendFailure } from '../../backends/failure.js';
import { openExpressions } from './expressions.js';
import type { Model } from './model.js';

/**
 * Σ ln |r_kk| of the triangular factor of a matrix given by its columns, [count, size] row-major, each row of it times `by`; −∞ where they are
 * not independent. By Householder reflections.
 */
export const logVolumeOf = (
  columns: ArrayLike<number>,
  count: number,
  by: Float64Array | undefined,
): number => {
  const size = columns.length / count;
  const a = Float64Array.from(columns, (value, at) => value * (by?.[at % size] ?? 1));
  let sum = 0;
  for (let k = 0; k < count; k++) {
    const start = k * size;
    let square = 0;
    for (let i = k; i < size; i++) square += (a[start + i] ?? 0) ** 2;
    const head = a[start + k] ?? 0;
    const diagonal = head > 0 ? -Math.sqrt(square) : Math.sqrt(square);
    sum += Math.log(Math.abs(diagonal));
    a[start + k] = head - diagonal;
    const length = -diagonal * (head - diagonal);
    for (let j = k + 1; j < count; j++) {
      const other = j * size;
      let along = 0;
      for (let i = k; i < size; i++) along += (a[start + i] ?? 0) * (a[other + i] ?? 0);
      const factor = length === 0 ? 0 : along / length;
      for (let i = k; i < size; i++) a[other + i] = (a[other + i] ?? 0) - factor * (a[start + i] ?? 0);
    }
  }
  return sum;
};

/** Why a decoder with more codes than an example has numbers has no density; undefined for any other. */
export const densityProblem = (decoder: NetworkValue, shape: Shape): Problem | undefined => {
  const [d, D] = [sizeOf(decoder.input), sizeOf(shape)];
  return d <= D
    ? undefined
    : problem(
        'decoder.input',
        `${d} codes for ${D} numbers of an example`,
        `at most ${D} codes, since a density needs an injective decoder`,
        'codes, samples and reconstructions need none',
      );
};

/** How many numbers of Jacobians are held at once. */
const HELD = 2 ** 24;

/** ½ ln det (SJ)ᵀ(SJ) at each code [n, d], for each S given by its diagonal; undefined for S = I. */
export const logVolumes = async (
  model: Model,
  codes: Float32Array,
  scalings: readonly (Float64Array | undefined)[],
): Promise<readonly Float64Array[]> => {
  const decoder: Network = model.experiment.decoder;
  const none = densityProblem(decoder, model.experiment.encoder.input);
  if (none !== undefined) throw new BackendFailure(none);
  const d = sizeOf(decoder.input);
  const frame = draw('frame', { tag: 'orthonormal', shape: decoder.input }, { probes: d });
  const columns = scale(1 / Math.sqrt(d), jvp(decoder, data(...decoder.input), frame));
  const count = codes.length / d;
  const opened = await openExpressions(model, { columns }, decoder.input, { rows: count });
  if (isLeft(opened)) throw new BackendFailure(opened.left[0] ?? problem('decoder', 'nothing', 'a Jacobian'));
  const { evaluate, dispose } = opened.right;
  const volumes = scalings.map(() => new Float64Array(count));
  try {
    const first = await evaluate(codes.subarray(0, d));
    if (isLeft(first)) throw new BackendFailure(first.left[0] ?? problem('codes', 'nothing', 'codes'));
    const numbers = first.right.columns.values.length;
    const chunk = Math.max(1, Math.floor(HELD / Math.max(1, numbers)));
    for (let start = 0; start < count; start += chunk) {
      const end = Math.min(start + chunk, count);
      const found = await evaluate(codes.subarray(start * d, end * d), start);
      if (isLeft(found)) throw new BackendFailure(found.left[0] ?? problem('codes', 'nothing', 'codes'));
      for (let row = start; row < end; row++) {
        const at = (row - start) * numbers;
        const own = found.right.columns.values.subarray(at, at + numbers);
        scalings.forEach((by, which) => {
          const into = volumes[which];
          if (into !== undefined) into[row] = logVolumeOf(own, d, by);
        });
      }
    }
    return volumes;
  } finally {
    dispose();
  }
};
