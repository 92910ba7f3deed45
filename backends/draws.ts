/** A program's random inputs, filled on the host: the numbers of one example are a function of (seed, name, step, example, probe) alone, so neither the batch size nor the number of probes nor the backend changes them. */
import { float64At, uint32At } from '../dsl/lookup.js';
import type { DistributionName } from '../dsl/expressions/draw.js';
import { deriveKey } from '../dsl/random.js';
import { standardNormal } from './normals.js';
import { orthonormalizeRows } from './orthonormal.js';
import { eachExample } from './wasm/philox.js';

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

/** How one example's [probes, size] is filled, from `into[to]` on, by the words of its probes: those of probe p start at `at + p·stride`. */
type Distribution = {
  /** Of one probe. */
  readonly words: (size: number) => number;
  readonly fill: (
    shape: DrawShape,
  ) => (words: Uint32Array, at: number, stride: number, into: Numbers, to: number) => void;
};

/** For distributions whose probes are independent. */
const byProbe =
  (
    fill: (words: Uint32Array, at: number, size: number, into: Numbers, to: number) => void,
  ): Distribution['fill'] =>
  ({ probes, size }) =>
  (words, at, stride, into, to) => {
    for (let probe = 0; probe < probes; probe++)
      fill(words, at + probe * stride, size, into, to + probe * size);
  };

const oneWordEach = (size: number): number => size;

const normal: Distribution = {
  words: oneWordEach,
  fill: byProbe((words, at, size, into, to) => {
    for (let i = 0; i < size; i++) into[to + i] = standardNormal(uint32At(words, at + i));
  }),
};

/** For size 1, ±1. */
const sphere: Distribution = {
  words: oneWordEach,
  fill: ({ probes, size }) => {
    const z = new Float64Array(size);
    return (words, at, stride, into, to) => {
      for (let probe = 0; probe < probes; probe++) {
        let square = 0;
        for (let i = 0; i < size; i++) {
          const one = standardNormal(uint32At(words, at + probe * stride + i));
          z[i] = one;
          square += one * one;
        }
        const factor = Math.sqrt(size / square);
        for (let i = 0; i < size; i++) into[to + probe * size + i] = float64At(z, i) * factor;
      }
    };
  },
};

const rademacher: Distribution = {
  words: (size) => Math.ceil(size / 32),
  fill: byProbe((words, at, size, into, to) => {
    // Without a branch, which would be foretold wrongly half of the time.
    for (let i = 0; i < size; i++)
      into[to + i] = ((uint32At(words, at + (i >>> 5)) >>> (i & 31)) & 1) * 2 - 1;
  }),
};

/** Multiples of 2⁻²⁴. */
const uniform: Distribution = {
  words: oneWordEach,
  fill: byProbe((words, at, size, into, to) => {
    for (let i = 0; i < size; i++) into[to + i] = (uint32At(words, at + i) >>> 8) * 2 ** -24;
  }),
};

/** After every `size` probes a new, independent frame starts. */
const orthonormal: Distribution = {
  words: oneWordEach,
  fill: ({ probes, size }) => {
    const rows = new Float64Array(Math.min(probes, size) * size);
    return (words, at, stride, into, to) => {
      for (let first = 0; first < probes; first += size) {
        const count = Math.min(size, probes - first);
        for (let row = 0; row < count; row++) {
          const start = at + (first + row) * stride;
          for (let i = 0; i < size; i++) rows[row * size + i] = standardNormal(uint32At(words, start + i));
        }
        orthonormalizeRows(rows, count, size);
        const scale = Math.sqrt(size);
        for (let i = 0; i < count * size; i++) into[to + first * size + i] = float64At(rows, i) * scale;
      }
    };
  },
};

const distributions: Readonly<Record<DistributionName, Distribution>> = {
  normal,
  sphere,
  rademacher,
  uniform,
  orthonormal,
};

/** Fills `into`, of examples × probes × size elements; sizes below one leave it as it is. */
export const fillDraw = (
  distribution: DistributionName,
  shape: DrawShape,
  key: DrawKey,
  into: Numbers,
): void => {
  if (shape.size < 1) return;
  const { words, fill } = distributions[distribution];
  const fillExample = fill(shape);
  const { examples, probes, size } = shape;
  const { seed, name, step, first = 0 } = key;
  eachExample(
    { key: deriveKey(seed, `draw/${name}`), step, first, examples, probes, words: words(size) },
    (drawn, at, stride, example) => fillExample(drawn, at, stride, into, example * probes * size),
  );
};
