/** An experiment: networks, objective, optimizer, data and length of training as one value; what SPEC means on the command line. */
import type { Expr, Surrogate } from './expressions/expression.js';
import type { NetworkValue } from './network.js';
import { namesOf, unknownOptions } from './mistake.js';
import type { Optimizer } from './optimizer.js';
import type { Scalar } from './shape.js';

/** Named scalar terms. The loss is their sum, averaged over the batch; every term is logged under its name. */
export type Objective = Readonly<Record<string, Expr<Scalar> | Surrogate>>;

/** A record of named scalars as an objective; a term that is not a scalar fails to type-check. */
export const objective = <const O extends Objective>(terms: O): O => terms;

/** The same objective with some of its terms replaced. */
export const override = <O extends Objective>(
  terms: O,
  changes: Partial<Record<keyof O, Expr<Scalar> | Surrogate>>,
): O => ({
  ...terms,
  ...changes,
});

export type Experiment = {
  readonly encoder: NetworkValue;
  readonly decoder: NetworkValue;
  readonly objective: Objective;
  /**
   * ln p(x) of the data example in nats, for a model that has a density; on a manifold with respect to volume on it. Reported
   * as a likelihood, so it is exact: it holds no draw.
   */
  readonly logDensity?: Expr<Scalar> | undefined;
  readonly optimizer: Optimizer;
  /** Examples per step. */
  readonly batch: number;
  readonly steps: number;
  /** A data reference, such as `digits` or a folder. */
  readonly data: string;
  readonly validation: {
    /** Steps between two evaluations on the held-out data; 0 for none. */
    readonly every: number;
  };
};

const fields = namesOf<Experiment>({
  encoder: true,
  decoder: true,
  objective: true,
  logDensity: true,
  optimizer: true,
  batch: true,
  steps: true,
  data: true,
  validation: true,
});

/** A tenth of the steps, at least 1. */
export const validationInterval = (steps: number): number => Math.max(1, Math.floor(steps / 10));

/** Names what is trained and on what. `validation.every` defaults to a tenth of the steps. */
export const experiment = (
  spec: Omit<Experiment, 'validation'> & { readonly validation?: Experiment['validation'] },
): Experiment => ({
  ...spec,
  validation: spec.validation ?? { every: validationInterval(spec.steps) },
  ...unknownOptions('experiment', spec, fields),
});
