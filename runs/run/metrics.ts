/** Metrics as JSON: expressions over the networks and running values of an experiment, written as terms beside its own. */
import { type Either, map } from 'fp-ts/lib/Either.js';
import type { Expressions } from '../../compiler/index.js';
import { decodeExperiment, encodeExperiment, type Experiment, type Problem } from '../../dsl/index.js';

type Checked<A> = Either<readonly Problem[], A>;

const PREFIX = 'metric ';

/** Names of terms have no `/`; those of metrics may. */
const termName = (name: string): string => `${PREFIX}${encodeURIComponent(name)}`;

const termsOf = (metrics: Expressions): Expressions =>
  Object.fromEntries(Object.entries(metrics).map(([name, node]) => [termName(name), node]));

/** With the networks that they are over, so that they can be read alone. */
export const encodeMetrics = (experiment: Experiment, metrics: Expressions): Checked<unknown> =>
  encodeExperiment({ ...experiment, objective: { ...experiment.objective, ...termsOf(metrics) } });

/** The name as it was given; a name that was not written here stays as it is. */
const metricName = (name: string): string => {
  const written = name.slice(PREFIX.length);
  try {
    return decodeURIComponent(written);
  } catch {
    return written;
  }
};

export const decodeMetrics = (json: unknown): Checked<Expressions> =>
  map(({ objective }: Experiment): Expressions =>
    Object.fromEntries(
      Object.entries(objective).flatMap(([name, node]) =>
        name.startsWith(PREFIX) ? [[metricName(name), node]] : [],
      ),
    ),
  )(decodeExperiment(json));
