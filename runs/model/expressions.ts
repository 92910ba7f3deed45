/** The values of expressions of a trained model over data: what every figure about a model is made of. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { mapWithIndex } from 'fp-ts/lib/ReadonlyRecord.js';
import {
  atBatch,
  compileExpressions,
  type CompiledExpressions,
  costOf,
  type Expressions,
} from '../../compiler/index.js';
import {
  codeOutput,
  type Expr,
  type NetworkValue,
  type Node,
  type Problem,
  problem,
  sameShape,
  showShape,
  sizeOf,
} from '../../dsl/index.js';
import { attempt } from '../../backends/failure.js';
import { openPrograms } from '../../backends/open.js';
import type { Fields } from '../../data/field.js';
import { feedOf } from './feed.js';
import { fieldsAt, fieldsOfProgram, type FieldValues } from './fields.js';
import { evaluateBatched, batchInputOf } from './batched-evaluation.js';
import type { Model, Values } from './model.js';
import type { TrainState } from './state.js';

type Checked<A> = Either<readonly Problem[], A>;

/** Examples of one shape, row-major [n, …shape]. A data set is one. */
export type Examples = {
  readonly shape: readonly number[];
  readonly examples: Float32Array;
  /** What is known of each beside itself. */
  readonly fields?: Fields;
};

/** Expressions loaded on a backend with the weights of a model, as they were when it was opened. */
export type Evaluator<Name extends string> = {
  /** Needs examples of the shape that it was opened for. `first` is the number of the first one, by which draws are made; 0 unless given. */
  readonly evaluate: (
    examples: Float32Array,
    first?: number,
    fields?: FieldValues,
  ) => Promise<Checked<Readonly<Record<Name, Values>>>>;
  /** How many examples the FLOPs are enough for, at least 1. */
  readonly affordable: number;
  readonly dispose: () => void;
};

export type EvaluationOptions = {
  /** Seed of the draws; the one that the model was trained from unless given. */
  readonly seed?: number;
  /** The most examples that there will be, if that is known. */
  readonly rows?: number;
  /** What all examples may cost, as the compiler counts it; no limit unless given. */
  readonly flops?: number;
};

/** Memory that a batch may take, as the compiler counts it. */
const BUDGET = 2 ** 28;
const MOST_ROWS = 256;

/** As many examples at once as fit the budget: one with many probes is a batch of its own. */
const compiled = (
  { experiment }: Model,
  expressions: Expressions,
  example: readonly number[],
  { rows: most = MOST_ROWS, flops: limit = Infinity }: EvaluationOptions,
): Checked<{ readonly compiled: CompiledExpressions; readonly affordable: number }> => {
  const all = compileExpressions(experiment, expressions, example);
  if (isLeft(all)) return all;
  const { flops, peak, parameters } = costOf(all.right.program);
  const rows = Math.floor((BUDGET - parameters.bytes) / Math.max(1, peak - parameters.bytes));
  const affordable = Math.max(1, Math.floor(limit / Math.max(1, flops)));
  const batch = Math.max(1, Math.min(MOST_ROWS, most, rows, affordable));
  return right({ compiled: { ...all.right, program: atBatch(all.right.program, batch) }, affordable });
};

/** What the expressions read and the model does not have, or has in another shape. */
const missing = ({ parameters, states }: CompiledExpressions, { arrays }: TrainState): readonly Problem[] =>
  [...parameters, ...states].flatMap(({ name, shape }) => {
    const known = arrays.get(name);
    if (known !== undefined && sameShape(known.shape, shape)) return [];
    const found =
      known === undefined ? `no ${JSON.stringify(name)}` : `${name} of shape ${showShape(known.shape)}`;
    return [problem('model', found, `${showShape(shape)} for ${name}, which an expression reads`)];
  });

/** Compiles expressions and loads them with the model's weights, to be evaluated any number of times. */
export const openExpressions = async <Name extends string>(
  model: Model,
  expressions: Readonly<Record<Name, Node>>,
  shape: readonly number[],
  options: EvaluationOptions = {},
): Promise<Checked<Evaluator<Name>>> => {
  const made = compiled(model, expressions, shape, options);
  if (isLeft(made)) return made;
  const { program, draws } = made.right.compiled;
  const state = await model.state();
  const problems = missing(made.right.compiled, state);
  if (problems.length > 0) return left(problems);
  const weights = new Map(
    program.binders.flatMap(({ name }) => {
      const array = state.arrays.get(name);
      return array === undefined ? [] : [[name, array.data] as const];
    }),
  );
  const opened = await attempt(() =>
    openPrograms(model.backend, new Map([[program.name, program]]), weights),
  );
  if (isLeft(opened)) return opened;
  const instance = opened.right;
  const shapes = new Map(program.outputs.map(({ name, var: x }) => [name, x.type.shape]));
  const specs = new Map(draws.map((spec) => [spec.name, spec]));

  const wanted = [...fieldsOfProgram(program).keys()];
  const run = async (
    data: Float32Array,
    first: number,
    fields: FieldValues,
  ): Promise<ReadonlyMap<string, Float32Array>> => {
    const key = { seed: options.seed ?? state.seed, step: 0, purpose: 'evaluation', first };
    const feeds = feedOf(program, specs, { data, fields, step: state.step, draws: key });
    return (await instance.run(program.name, feeds)).value;
  };

  const evaluate: Evaluator<Name>['evaluate'] = async (examples, start = 0, fields = new Map()) => {
    const untold = wanted.filter((name) => !fields.has(name));
    if (untold.length > 0)
      return left([
        problem('examples', 'examples alone', `the fields ${untold.join(', ')} of each of them too`),
      ]);
    const rows = batchInputOf(examples, sizeOf(shape), fields);
    if (!Number.isInteger(rows.count)) {
      const expected = `a multiple of ${rows.width}, the size of one example`;
      return left([problem('examples', `${examples.length} numbers`, expected)]);
    }
    const outputs = await attempt(() =>
      evaluateBatched(program.batch, rows, (batch, first, told) => run(batch, start + first, told)),
    );
    if (isLeft(outputs)) return outputs;
    return right(
      mapWithIndex((name: Name): Values => {
        const values = outputs.right.get(name) ?? new Float32Array();
        return { shape: shapes.get(name) ?? [], values };
      })(expressions),
    );
  };

  return right({ evaluate, affordable: made.right.affordable, dispose: instance.dispose });
};

/**
 * The value of each expression for each example, in inference mode: batch-norm uses its running statistics, dropout is
 * off, `step` is the number of steps taken, hyper-parameters are the experiment's, and draws are those of the example's
 * number. Expressions may have any shape and any networks of the experiment; the data may have any shape too, such as
 * the codes' for what is asked of the decoder alone. With a limit on FLOPs the values are those of the first examples.
 */
export const evaluateExpressions = async <Name extends string>(
  model: Model,
  expressions: Readonly<Record<Name, Node>>,
  { shape, examples, fields = {} }: Examples,
  options: EvaluationOptions = {},
): Promise<Checked<Readonly<Record<Name, Values>>>> => {
  const rows = Math.ceil(examples.length / Math.max(1, sizeOf(shape)));
  const opened = await openExpressions(model, expressions, shape, { rows, ...options });
  if (isLeft(opened)) return opened;
  const { affordable } = opened.right;
  const count = Math.min(rows, affordable);
  const told = fieldsAt(
    { fields },
    Int32Array.from({ length: count }, (_, row) => row),
  );
  const values = await opened.right.evaluate(
    rows > affordable ? examples.subarray(0, affordable * sizeOf(shape)) : examples,
    0,
    told,
  );
  opened.right.dispose();
  return values;
};

/** The code of an encoder, at its data unless elsewhere; of several outputs the one that is its code. */
export const codeOf = (encoder: NetworkValue, at: Expr): Expr => ({
  tag: 'apply',
  network: encoder,
  at,
  output: codeOutput(encoder),
});
