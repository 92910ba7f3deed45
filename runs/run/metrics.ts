/** Metrics as JSON: expressions over the networks and running values of an experiment, written as terms beside its own. */
import { type Either, isLeft, left, map } from 'fp-ts/lib/Either.js';
import type { Expressions } from '../../compiler/index.js';
import { besideTerms } from '../../dsl/beside.js';
import { type Codec, record, struct, such } from '../../dsl/codec/codec.js';
import { anyString } from '../../dsl/codec/primitive.js';
import { contextPath, problemsOf } from '../../dsl/codec/problems.js';
import { decodeExperiment, encodeExperiment, type Experiment, type Problem } from '../../dsl/index.js';

type Checked<A> = Either<readonly Problem[], A>;

/** The name of each metric's term, by the metric's own, and the experiment with those terms. */
type Written = { readonly metrics: Readonly<Record<string, string>>; readonly experiment: unknown };

const codec: Codec<Written> = struct('metrics and the experiment that they are of', {
  metrics: record('an object of names', anyString, anyString, 0),
  experiment: such('an experiment', (u): u is unknown => u !== undefined),
});

/** With the networks that they are over, so that they can be read alone. */
export const encodeMetrics = (experiment: Experiment, metrics: Expressions): Checked<unknown> => {
  const { objective, terms } = besideTerms(experiment.objective, metrics);
  return map((written: unknown) => codec.encode({ metrics: Object.fromEntries(terms), experiment: written }))(
    encodeExperiment({ ...experiment, objective }),
  );
};

/** Names that are no term's have no metric. */
export const decodeMetrics = (json: unknown): Checked<Expressions> => {
  const written = codec.decode(json);
  if (isLeft(written)) return left(problemsOf(written.left, contextPath));
  const { metrics, experiment } = written.right;
  return map(({ objective }: Experiment): Expressions =>
    Object.fromEntries(
      Object.entries(metrics).flatMap(([name, term]) => {
        const node = objective[term];
        return node === undefined ? [] : [[name, node]];
      }),
    ),
  )(decodeExperiment(experiment));
};
