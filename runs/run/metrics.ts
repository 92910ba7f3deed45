/** Metrics as JSON: expressions over the networks of an experiment, written as its terms are. */
import { type Either, map } from 'fp-ts/lib/Either.js';
import type { Expressions } from '../../compiler/index.js';
import { decodeExperiment, encodeExperiment, type Experiment, type Problem } from '../../dsl/index.js';
import { asTerms } from '../../compiler/expressions.js';

type Checked<A> = Either<readonly Problem[], A>;

/** With the networks that they are over, so that they can be read alone. */
export const encodeMetrics = (experiment: Experiment, metrics: Expressions): Checked<unknown> =>
  encodeExperiment(asTerms(experiment, metrics));

export const decodeMetrics = (json: unknown): Checked<Expressions> =>
  map(({ objective }: Experiment): Expressions => objective)(decodeExperiment(json));
