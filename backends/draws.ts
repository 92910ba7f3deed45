/** A program's random inputs, filled on the host: the numbers of one example are a function of (seed, name, step, example, probe) alone, so neither the batch size nor the number of probes nor the backend changes them. */
import { float64At, uint32At } from '../dsl/lookup.js';
import type { DistributionName } from '../dsl/expressions/draw.js';
import { deriveKey, fillWords, type Key } from '../dsl/random.js';
import { standardNormal } from './normals.js';
import { orthonormalizeRows } from './orthonormal.js';

/** The array is row-major [examples, probes, size]. */
export type DrawShape = { readonly examples: number; readonly probes: number; readonly size: number };

export type DrawKey = {
  readonly seed: number;
  readonly name: string;
  readonly step: number;
  /** Number of the first example, 0 unless given: a batch of a larger set draws what the whole set would. */
  readonly first?: number;
};

/** In a program's numbers, or in doubles where what is drawn is to be exact: orthonormal frames that are. */
type Numbers = Float32Array | Float64Array;

/** Fills one example, [probes, size], whose first element is `into[at]`. */
type FillExample = (
  key: Key,
  step: number,
  example: number,
  shape: DrawShape,
  into: Numbers,
  at: number,
) => void;

/** For distributions whose probes are independent: one stream of words for each probe. */
const byProbe =
  (
    wordsOf: (size: number) => number,
    fill: (words: Uint32Array, size: number, into: Numbers, at: number) => void,
  ) =>
  (shape: DrawShape): FillExample => {
    const words = new Uint32Array(wordsOf(shape.size));
    return (key, step, example, { probes, size }, into, at) => {
      for (let probe = 0; probe < probes; probe++) {
        fillWords(key, [probe, example, step], words);
        fill(words, size, into, at + probe * size);
      }
    };
  };

const oneWordEach = (size: number): number => size;
const oneBitEach = (size: number): number => Math.ceil(size / 32);

const drawNormal = byProbe(oneWordEach, (words, size, into, at) => {
  for (let i = 0; i < size; i++) into[at + i] = standardNormal(uint32At(words, i));
});

/** For size 1, ±1. */
const drawSphere = byProbe(oneWordEach, (words, size, into, at) => {
  let square = 0;
  for (let i = 0; i < size; i++) {
    const z = standardNormal(uint32At(words, i));
    square += z * z;
  }
  const factor = Math.sqrt(size / square);
  for (let i = 0; i < size; i++) into[at + i] = standardNormal(uint32At(words, i)) * factor;
});

const drawRademacher = byProbe(oneBitEach, (words, size, into, at) => {
  for (let i = 0; i < size; i++) into[at + i] = (uint32At(words, i >>> 5) >>> (i & 31)) & 1 ? 1 : -1;
});

/** Multiples of 2⁻²⁴. */
const drawUniform = byProbe(oneWordEach, (words, size, into, at) => {
  for (let i = 0; i < size; i++) into[at + i] = (uint32At(words, i) >>> 8) * 2 ** -24;
});

/** After every `size` probes a new, independent frame starts. */
const drawOrthonormal = (shape: DrawShape): FillExample => {
  const words = new Uint32Array(shape.size);
  const rows = new Float64Array(Math.min(shape.probes, shape.size) * shape.size);
  return (key, step, example, { probes, size }, into, at) => {
    for (let first = 0; first < probes; first += size) {
      const count = Math.min(size, probes - first);
      for (let row = 0; row < count; row++) {
        fillWords(key, [first + row, example, step], words);
        for (let i = 0; i < size; i++) rows[row * size + i] = standardNormal(uint32At(words, i));
      }
      orthonormalizeRows(rows, count, size);
      const scale = Math.sqrt(size);
      for (let i = 0; i < count * size; i++) into[at + first * size + i] = float64At(rows, i) * scale;
    }
  };
};

const draws: Readonly<Record<DistributionName, (shape: DrawShape) => FillExample>> = {
  normal: drawNormal,
  sphere: drawSphere,
  rademacher: drawRademacher,
  uniform: drawUniform,
  orthonormal: drawOrthonormal,
};

/** Fills `into`, of examples × probes × size elements; sizes below one leave it as it is. */
export const fillDraw = (
  distribution: DistributionName,
  shape: DrawShape,
  key: DrawKey,
  into: Numbers,
): void => {
  if (shape.size < 1) return;
  const derived = deriveKey(key.seed, `draw/${key.name}`);
  const fill = draws[distribution](shape);
  for (let example = 0; example < shape.examples; example++)
    fill(derived, key.step, (key.first ?? 0) + example, shape, into, example * shape.probes * shape.size);
};
