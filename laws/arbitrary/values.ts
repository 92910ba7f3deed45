/** Arrays of random values that float32 holds exactly, as functions of a seed. */
import { float64At } from '../../dsl/lookup.js';
import { deriveKey, uniforms } from '../../dsl/random.js';

/** Bounds of a value. */
export type Interval = readonly [low: number, high: number];

/** Values on [low, high]; every fourth or so is a whole number, so that ties, zeros and ones occur. */
export const valuesIn = ([low, high]: Interval, count: number, seed: number, name: string): Float64Array => {
  const words = uniforms(deriveKey(seed, name), [0, 0, 0], 2 * count);
  return Float64Array.from({ length: count }, (_, i) => {
    const value = Math.fround(low + float64At(words, 2 * i) * (high - low));
    const whole = Math.round(value);
    return float64At(words, 2 * i + 1) < 0.25 && whole >= low && whole <= high ? whole + 0 : value;
  });
};

/** Values on [low, high] without whole numbers. */
export const smoothValuesIn = (
  [low, high]: Interval,
  count: number,
  seed: number,
  name: string,
): Float64Array =>
  uniforms(deriveKey(seed, name), [0, 0, 0], count).map((u) => Math.fround(low + u * (high - low)));
