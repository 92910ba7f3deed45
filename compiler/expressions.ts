/** Programs of named expressions: whatever one asks of a trained model besides its loss, through the same passes. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { besideTerms } from '../dsl/beside.js';
import { checkExperiment } from '../dsl/codec/index.js';
import { entryOf, getFrom } from '../dsl/lookup.js';
import type { Experiment } from '../dsl/experiment.js';
import type { Node } from '../dsl/expressions/expression.js';
import { hypersOf } from '../dsl/names.js';
import { fieldPath } from '../dsl/path.js';
import { type Problem, problem } from '../dsl/problem.js';
import { rewriting } from '../dsl/expressions/rewrite.js';
import type { Shape } from '../dsl/shape.js';
import type { DrawSpec, ParameterSpec, StateSpec } from './elaborate/context.js';
import { elaborateExpressions } from './elaborate/program.js';
import { byAverages } from './optimizers/average.js';
import { faults, last, optimize, semanticProblems } from './pipeline.js';
import type { Program } from './ir/program.js';

export type Expressions = Readonly<Record<string, Node>>;

export type CompiledExpressions = {
  /** An output for each expression, under its name; for one example, and by `atBatch` for any number. */
  readonly program: Program;
  /** What the program reads of the model. */
  readonly parameters: readonly ParameterSpec[];
  readonly states: readonly StateSpec[];
  readonly draws: readonly DrawSpec[];
};

const root = 'expressions';

/** A problem of a term that stands for an expression, at the expression's path. */
const atExpression =
  (terms: ReadonlyMap<string, string>) =>
  (p: Problem): Problem => {
    const found = [...terms].find(([, term]) => p.path.startsWith(fieldPath('objective', term)));
    if (found === undefined) return p;
    const [name, term] = found;
    return { ...p, path: `${fieldPath(root, name)}${p.path.slice(fieldPath('objective', term).length)}` };
  };

/** Hyper-parameters as the experiment has them, whatever the expressions were written with. */
const withHypersOf = (experiment: Experiment, expressions: Expressions): Expressions => {
  const hypers = hypersOf(experiment);
  const rewrite = rewriting((node) =>
    node.tag === 'hyper' ? { ...node, value: hypers.get(node.name) ?? node.value } : node,
  );
  return Object.fromEntries(Object.entries(expressions).map(([name, node]) => [name, rewrite(node)]));
};

/**
 * Compiles expressions of any shapes over the networks of an experiment, in inference mode. `example` is the shape of
 * one example of what is fed as data: what the encoder takes, codes, pairs of them, or whatever the expressions are
 * about. On the left every problem, at `expressions.NAME…`.
 */
export const compileExpressions = (
  experiment: Experiment,
  expressions: Expressions,
  example: Shape,
): Either<readonly Problem[], CompiledExpressions> => {
  const names = Object.keys(expressions);
  if (names.length === 0) return left([problem(root, 'no expression', 'at least one named expression')]);
  // They may read the running values of the objective's terms, so they are checked among them.
  const { objective, terms } = besideTerms(experiment.objective, withHypersOf(experiment, expressions));
  const checked = checkExperiment({ ...experiment, objective });
  if (isLeft(checked)) return left(checked.left.map(atExpression(terms)));
  const outputs = names.map((output) => ({
    path: fieldPath(root, output),
    output,
    node: entryOf(checked.right.objective, getFrom(terms, output)),
  }));
  const elaborated = elaborateExpressions(root, 1, example, outputs);
  const problems = semanticProblems([elaborated]);
  if (problems.length > 0) return left(problems);
  const stages = optimize('elaborate', byAverages(elaborated.program, experiment.optimizer));
  const wrong = faults(stages);
  if (wrong.length > 0) return left(wrong);
  const { parameters, states, draws } = elaborated.context;
  return right({
    program: last(stages),
    parameters: [...parameters.values()],
    states: [...states.values()],
    draws: [...draws.values()],
  });
};
