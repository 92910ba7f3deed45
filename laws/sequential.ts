/**
 * A sequential test of a mean: how far from 0 it may be after t draws, whenever one looks. The confidence sequence of Robbins's normal mixture
 * with the draws' own deviation (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic
 * confidence sequences, Annals of Statistics 2024, theorem 2.2): valid at all t at once, so that stopping when it tells costs nothing.
 */

/** Sums of the draws so far. */
export type Draws = {
  readonly count: number;
  readonly mean: number;
  /** Σ (x − mean)². */ readonly spread: number;
};

export const noDraws: Draws = { count: 0, mean: 0, spread: 0 };

/** Welford's update. */
export const withDraw = ({ count, mean, spread }: Draws, x: number): Draws => {
  const next = count + 1;
  const moved = mean + (x - mean) / next;
  return { count: next, mean: moved, spread: spread + (x - mean) * (x - moved) };
};

/** How often a mean that is 0 may be called another, over all looks. */
export const ALPHA = 1e-6;

/** Of one draw's standard deviation: where the mean is known to that, the test ends. */
export const RESOLUTION = 0.1;

/** The number of draws at which the sequence is made to be narrowest: about as many as the resolution takes. */
const AIM = 3000;

/** Half the width of the sequence after `count` draws of deviation 1, at a level that `tests` means share. */
export const halfWidth = (count: number, tests: number): number => {
  const alpha = ALPHA / tests;
  const rho2 = (-2 * Math.log(alpha) + Math.log(1 - 2 * Math.log(alpha))) / AIM;
  const scaled = count * rho2 + 1;
  return Math.sqrt(((2 * scaled) / (count * count * rho2)) * Math.log(Math.sqrt(scaled) / alpha));
};

/** Fewer draws say nothing of their own deviation. */
const LEAST = 256;

export type Decision = 'below' | 'above' | 'within' | 'open';

/** Whether a mean is below 0, above it, within the resolution of it, or not yet known. `rounding` is what counts as 0. */
export const decide = ({ count, mean, spread }: Draws, rounding: number, tests: number): Decision => {
  if (count < LEAST) return 'open';
  const deviation = Math.sqrt(spread / count);
  const width = halfWidth(count, tests);
  const margin = deviation * width + rounding;
  if (!(Math.abs(mean) <= margin)) return mean > 0 ? 'above' : 'below';
  return width <= RESOLUTION ? 'within' : 'open';
};
