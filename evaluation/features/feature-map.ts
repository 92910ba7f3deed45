/** Feature maps: what a score looks at. A score of samples means little without the name of its features. */

export type FeatureMap = {
  /** Part of the names of scores, such as `frechet/pixels`. */
  readonly name: string;
  /** Features of an example. */
  readonly size: number;
  /** Examples [n, …shape] to features [n, size]. */
  readonly apply: (examples: Float32Array) => Promise<Float32Array>;
  /** Scores that have a name of their own over these features, such as `fid`. */
  readonly customary?: Readonly<Record<string, string>>;
  /** Examples that a sample must have; nine for each feature unless given. */
  readonly fewest?: number;
  readonly dispose: () => void;
};

/** Examples that a sample must have for each feature: an estimated covariance is noise where there are fewer. */
export const EXAMPLES_PER_FEATURE = 9;

/**
 * The greatest power of two that samples of a size can carry, at most `most`: the same features for 290 and for 299 examples, or
 * their scores could not be compared.
 */
export const carriedSize = (examples: number, most: number): number =>
  2 ** Math.floor(Math.log2(Math.max(1, Math.min(examples / EXAMPLES_PER_FEATURE, most))));
