/**
 * Initial values of parameters, each a function of (seed, path) alone, with Keras's rules for limits and truncation. The
 * fan in of a conv-transpose kernel [h, w, out, in] is h·w·in, the layer's input channels as He et al. and PyTorch mean
 * it, where Keras reads h·w·out.
 */
import { float64At, uint32At } from '../dsl/lookup.js';
import type { Fans, Initializer } from '../dsl/layers/initializer.js';
import { deriveKey, fillWords } from '../dsl/random.js';
import { standardNormal } from './normals.js';
import { orthonormalizeRows } from './orthonormal.js';

export type ParameterKey = { readonly seed: number; readonly name: string };

/** Words below Φ(−2)·2³² or above Φ(2)·2³² would fall outside two standard deviations. */
const CUT = 0.022750131948179195;
/** The standard deviation of N(0, 1) cut off at ±2. */
const CUT_STDDEV = 0.87962566103423978;

const fillUniform = (limit: number, words: Uint32Array, into: Float32Array): void => {
  for (let i = 0; i < into.length; i++) into[i] = ((uint32At(words, i) + 0.5) * 2 ** -31 - 1) * limit;
};

const fillNormal = (stddev: number, words: Uint32Array, into: Float32Array): void => {
  for (let i = 0; i < into.length; i++) into[i] = standardNormal(uint32At(words, i)) * stddev;
};

/** He et al.'s normal as Keras has it: cut off at two standard deviations, of the given one after the cut. */
const fillCutNormal = (stddev: number, words: Uint32Array, into: Float32Array): void => {
  for (let i = 0; i < into.length; i++) {
    const word = Math.floor(CUT * 2 ** 32 + (uint32At(words, i) + 0.5) * (1 - 2 * CUT));
    into[i] = (standardNormal(word) * stddev) / CUT_STDDEV;
  }
};

/** The array as a matrix [all but the last axis, last axis] with orthonormal rows or columns, whichever are fewer. */
const fillOrthogonal = (shape: readonly number[], words: Uint32Array, into: Float32Array): void => {
  const columns = shape.at(-1) ?? 1;
  const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const count = Math.min(rows, columns);
  const size = Math.max(rows, columns);
  const frame = Float64Array.from(words, standardNormal);
  orthonormalizeRows(frame, count, size);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++)
      into[r * columns + c] = float64At(frame, rows <= columns ? r * size + c : c * size + r);
  }
};

/** Fills `into`, a row-major array of the given shape. */
export const initialise = (
  initializer: Initializer,
  { shape, fanIn, fanOut }: { readonly shape: readonly number[] } & Fans,
  key: ParameterKey,
  into: Float32Array,
): void => {
  const words = (): Uint32Array => {
    const filled = new Uint32Array(into.length);
    fillWords(deriveKey(key.seed, `parameter/${key.name}`), [0, 0, 0], filled);
    return filled;
  };
  switch (initializer.tag) {
    case 'zeros':
      into.fill(0);
      return;
    case 'ones':
      into.fill(1);
      return;
    case 'constant':
      into.fill(initializer.value);
      return;
    case 'normal':
      fillNormal(initializer.stddev, words(), into);
      return;
    case 'uniform':
      fillUniform(initializer.limit, words(), into);
      return;
    case 'glorotUniform':
      fillUniform(Math.sqrt(6 / (fanIn + fanOut)), words(), into);
      return;
    case 'heNormal':
      fillCutNormal(Math.sqrt(2 / fanIn), words(), into);
      return;
    case 'orthogonal':
      fillOrthogonal(shape, words(), into);
      return;
  }
};
