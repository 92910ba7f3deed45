/** The decoder's Jacobian J = dg/dz at codes: its singular values, and how it stretches random directions. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { draw, jvp, data, type Network, type Problem, problem, scale, sizeOf } from '../../dsl/index.js';
import type { Model } from '../../runs/index.js';
import { type EvaluationOptions, openExpressions } from '../../runs/index.js';
import { singularValues, type Spectrum } from './singular-values.js';

/** J at one code. */
export type LocalGeometry = {
  readonly spectrum: Spectrum;
  /** ‖Jq_k‖ for the d directions of a uniformly distributed orthonormal frame, so each for a uniform unit vector. */
  readonly stretches: Float64Array;
};

/** How many numbers of Jacobians are held at once. */
const HELD = 2 ** 25;

const lengths = (columns: Float32Array, d: number): Float64Array => {
  const size = columns.length / d;
  return Float64Array.from({ length: d }, (_, k) =>
    Math.sqrt(columns.subarray(k * size, (k + 1) * size).reduce((sum, value) => sum + value * value, 0)),
  );
};

/**
 * J at each code, row-major [n, d]. JQ for an orthonormal frame Q has the singular values of J, so d JVPs are enough;
 * they are taken in the backend's single precision and decomposed in double. With a limit on FLOPs, at the first codes.
 */
export const jacobiansAt = async (
  model: Model,
  codes: Float32Array,
  options: EvaluationOptions = {},
): Promise<Either<readonly Problem[], readonly LocalGeometry[]>> => {
  const decoder: Network = model.experiment.decoder;
  const d = sizeOf(decoder.input);
  const frame = draw('frame', { tag: 'orthonormal', shape: decoder.input }, { probes: d });
  const columns = scale(1 / Math.sqrt(d), jvp(decoder, data(...decoder.input), frame));
  const opened = await openExpressions(model, { columns }, decoder.input, {
    rows: codes.length / d,
    ...options,
  });
  if (isLeft(opened)) return opened;
  const { evaluate, affordable, dispose } = opened.right;
  try {
    const count = Math.min(codes.length / d, affordable);
    const points: LocalGeometry[] = [];
    const chunk = Math.max(1, Math.floor(HELD / (d * sizeOf(model.experiment.encoder.input))));
    for (let first = 0; first < count; first += chunk) {
      const found = await evaluate(codes.subarray(first * d, Math.min(first + chunk, count) * d), first);
      if (isLeft(found)) return found;
      const { shape, values } = found.right.columns;
      if (!values.every(Number.isFinite)) {
        const what = `values that are not finite among codes ${first} … ${Math.min(first + chunk, count) - 1}`;
        return left([problem('jacobian', what, 'a decoder with finite derivatives')]);
      }
      const width = sizeOf(shape);
      for (let at = 0; at < values.length; at += width) {
        const own = values.subarray(at, at + width);
        points.push({ spectrum: singularValues(own, d), stretches: lengths(own, d) });
      }
    }
    return right(points);
  } finally {
    dispose();
  }
};
