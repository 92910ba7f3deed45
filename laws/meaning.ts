/** What expressions mean: their values in float64, by the reference interpreter, without a backend. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Mode, ParameterSpec, StateSpec } from '../compiler/elaborate/context.js';
import { createContext } from '../compiler/elaborate/context.js';
import { createElaborate } from '../compiler/elaborate/expression.js';
import { programOf } from '../compiler/elaborate/program.js';
import { interpret } from '../compiler/ir/interpret.js';
import { atRows } from '../compiler/ir/operations.js';
import type { Output, Program } from '../compiler/ir/program.js';
import { checkExperiment } from '../dsl/codec/index.js';
import { dataShapeOf } from '../dsl/data-shape.js';
import { constant, type Expr } from '../dsl/expressions/expression.js';
import { everyNode, nodesOf } from '../dsl/expressions/rewrite.js';
import type { NetworkValue, Node } from '../dsl/grammar.js';
import { sgd } from '../dsl/optimizer.js';
import { type Problem, problem } from '../dsl/problem.js';
import type { Shape } from '../dsl/shape.js';
import { type Asked, inputsIn, type World } from './world.js';

/** How networks behave: as they are trained (statistics of the batch, dropout, surrogates of volumes), or as they are evaluated. */
export type Behaviour = 'training' | 'evaluation';

type Checked<A> = Either<readonly Problem[], A>;

export type Expressions = Readonly<Record<string, Node>>;

/** Expressions as a program, and all that it takes. */
export type Calculation = Asked & {
  readonly parameters: readonly ParameterSpec[];
  readonly states: readonly StateSpec[];
  readonly shapes: ReadonlyMap<string, Shape>;
};

const modes: Readonly<Record<Behaviour, Mode>> = { training: 'train', evaluation: 'inference' };

/** An experiment wants networks; expressions of a law need none. */
const nothing: NetworkValue = { name: 'no network', input: [1], layers: [] };

/** Expressions as a program for a batch; every problem where one of them is ill-formed. */
export const calculationOf = (
  expressions: Expressions,
  behaviour: Behaviour,
  batch: number,
): Checked<Calculation> => {
  const checked = checkExperiment({
    encoder: nothing,
    decoder: nothing,
    objective: expressions,
    optimizer: sgd({ rate: constant(1) }),
    batch,
    steps: 1,
    data: 'none',
    validation: { every: 0 },
  });
  if (isLeft(checked)) return left(checked.left.map(atExpression));
  const experiment = checked.right;
  const nodes = everyNode(nodesOf(experiment)).map(({ node }) => node);
  const context = createContext(createElaborate, modes[behaviour], batch, dataShapeOf(experiment));
  const elaborate = createElaborate(context);
  const outputs = Object.entries(experiment.objective).flatMap(([name, node]): readonly Output[] => {
    const value = elaborate(node, name);
    return value === null ? [] : [{ kind: 'value', name, var: value }];
  });
  if (context.problems.length > 0) return left(context.problems);
  const each = outputs.map((output): Output => ({
    ...output,
    var: atRows(context.builder.emit, Math.max(1, output.var.type.rows), output.var),
  }));
  const { parameters, states, draws } = context;
  return right({
    program: programOf(context, 'meaning', each),
    parameters: [...parameters.values()],
    states: [...states.values()],
    draws: [...draws.values()],
    wholes: new Set(
      nodes.flatMap((node) => (node.tag === 'field' && node.type === 'integer' ? [node.name] : [])),
    ),
    shapes: new Map(each.map((output) => [output.name, output.var.type.shape])),
  });
};

/** Expressions stand among the terms of an objective only while they are checked. */
const atExpression = (p: Problem): Problem => ({ ...p, path: p.path.replace(/^objective\.?/, '') });

/** The values of a program's outputs by name. */
export const valuesOf = (
  program: Program,
  inputs: ReadonlyMap<string, Float64Array>,
): ReadonlyMap<string, Float64Array> => interpret(program, inputs).value;

export type Meaning = {
  /** For each example of the batch, row-major: [batch, …shape]. */
  readonly values: Float64Array;
  /** Of one example. */
  readonly shape: Shape;
  /** The weights, examples and draws that it was made of, by name. */
  readonly inputs: ReadonlyMap<string, Float64Array>;
};

export type MeaningOptions = {
  /** Default `evaluation`. */
  readonly behaviour?: Behaviour;
};

/**
 * What an expression comes to in a world, in float64: the definition that every backend is held to. On the left what is wrong with the
 * expression, or with values that were given.
 */
export const meaningOf = (
  expression: Expr,
  world: World = {},
  { behaviour = 'evaluation' }: MeaningOptions = {},
): Checked<Meaning> => {
  const calculation = calculationOf({ expression }, behaviour, world.batch ?? 1);
  if (isLeft(calculation)) return calculation;
  const { program, shapes } = calculation.right;
  const inputs = inputsIn(calculation.right, world);
  if (typeof inputs === 'string')
    return left([problem('world.values', inputs, 'as many numbers as it takes')]);
  return right({
    values: valuesOf(program, inputs).get('expression') ?? new Float64Array(),
    shape: shapes.get('expression') ?? [],
    inputs,
  });
};
