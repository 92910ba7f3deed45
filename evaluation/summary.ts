/** What many values come to: their mean and their quantiles. */

/** The quantiles of a summary. */
export const levels = [0.05, 0.25, 0.5, 0.75, 0.95] as const;

export type Summary = {
  readonly mean: number;
  /** At `levels`. */
  readonly quantiles: readonly number[];
};

/** Interpolated linearly between order statistics; NaN of nothing. */
export const quantile = (ascending: ArrayLike<number>, level: number): number => {
  const at = level * (ascending.length - 1);
  const below = Math.floor(at);
  const [low, high] = [ascending[below] ?? NaN, ascending[Math.ceil(at)] ?? NaN];
  // Equal ends may be infinite.
  return low === high ? low : low + (at - below) * (high - low);
};

export const median = (values: ArrayLike<number>): number => quantile(Float64Array.from(values).sort(), 0.5);

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export const summaryOf = (values: readonly number[]): Summary => {
  const ascending = Float64Array.from(values).sort();
  return { mean: mean(values), quantiles: levels.map((level) => quantile(ascending, level)) };
};
