/** What validations look at beside the terms, as programs: metrics, and what one validation is compared with another by. */
import { type Either, isLeft, left, map, right } from 'fp-ts/lib/Either.js';
import {
  atBatch,
  type Compiled,
  compileExpressions,
  type CompiledExpressions,
  type Expressions,
} from '../../compiler/index.js';
import { dataShapeOf, type Problem, problem, settledTerms, showShape } from '../../dsl/index.js';
import type { Settled } from '../model/session.js';

type Checked<A> = Either<readonly Problem[], A>;

const programOf = (
  { experiment }: Compiled,
  name: string,
  expressions: Expressions,
): Checked<CompiledExpressions> =>
  map((made: CompiledExpressions): CompiledExpressions => ({
    ...made,
    program: { ...atBatch(made.program, experiment.batch), name },
  }))(compileExpressions(experiment, expressions, dataShapeOf(experiment)));

/** Metrics as a program beside the others; each is a scalar of what the model has. */
export const metricsProgram = (
  compiled: Compiled,
  metrics: Expressions,
): Checked<CompiledExpressions | undefined> => {
  if (Object.keys(metrics).length === 0) return right(undefined);
  const { parameters, states } = compiled;
  const made = programOf(compiled, 'metrics', metrics);
  if (isLeft(made))
    return left(made.left.map((one) => ({ ...one, path: one.path.replace(/^expressions/, 'metrics') })));
  const known = new Set([...parameters, ...states].map(({ name }) => name));
  const problems = [
    ...made.right.program.outputs
      .filter(({ var: { type } }) => type.shape.length > 0)
      .map(({ name, var: { type } }) => problem(`metrics.${name}`, showShape(type.shape), 'a scalar')),
    ...[...made.right.parameters, ...made.right.states]
      .filter(({ name }) => !known.has(name))
      .map(({ name }) => problem('metrics', `the weights ${name}`, 'weights that the objective trains')),
  ];
  return problems.length > 0 ? left(problems) : made;
};

/** The terms that have a schedule without it, as a program; undefined where no term has one. */
export const settledProgram = (compiled: Compiled, step: number): Checked<Settled | undefined> => {
  const terms = [...settledTerms(compiled.experiment.objective, step)];
  if (terms.length === 0) return right(undefined);
  return map((made: CompiledExpressions): Settled => ({
    ...made,
    weights: new Map(terms.map(([name, { weight }]) => [name, weight])),
  }))(programOf(compiled, 'settled', Object.fromEntries(terms.map(([name, { term }]) => [name, term]))));
};
