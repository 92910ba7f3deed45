/** Appends the optimizer: gradients become next parameters and moments, so that the whole step is one program. */
import { elementAt } from '../../dsl/lookup.js';
import { zeros } from '../../dsl/layers/initializer.js';
import type { Optimizer } from '../../dsl/optimizer.js';
import { createBuilder, type Builder } from '../ir/builder.js';
import { differentiate } from '../derivatives/differentiate.js';
import type { StateSpec } from '../elaborate/context.js';
import {
  add,
  binary,
  constantLike,
  div,
  fillShape,
  mul,
  sub,
  sumAll,
  times,
  unary,
} from '../ir/operations.js';
import { type AdamUpdate, type Emit, type Output, outputVar, type Program, type Var } from '../ir/program.js';
import { scalarType } from '../ir/type.js';

type Update = { readonly program: Program; readonly moments: readonly StateSpec[] };

/** What one parameter becomes, and what its moments become by their names. */
type Next = { readonly next: Var; readonly moments: Readonly<Record<string, Var>> };

type Rule = {
  /** One parameter's update. */
  readonly update: (parameter: Var, gradient: Var, moment: (name: string) => Var) => Next;
  readonly adam?: Omit<AdamUpdate, 'targets'>;
};

const scalar = (emit: Emit, value: number): Var => constantLike(emit, value, scalarType);

const scaled = (emit: Emit, by: Var, x: Var): Var => mul(emit, fillShape(emit, by, x.type.shape), x);

/** m ← momentum·m + g; θ ← θ − rate·m, or with Nesterov θ − rate·(g + momentum·m). */
const sgdRule = (
  emit: Emit,
  { momentum, nesterov }: Extract<Optimizer, { tag: 'sgd' }>,
  rate: Var,
): Rule => ({
  update: (parameter, gradient, moment) => {
    if (momentum === 0) return { next: sub(emit, parameter, scaled(emit, rate, gradient)), moments: {} };
    const velocity = add(emit, times(emit, moment('momentum'), momentum), gradient);
    const direction = nesterov ? add(emit, gradient, times(emit, velocity, momentum)) : velocity;
    return { next: sub(emit, parameter, scaled(emit, rate, direction)), moments: { momentum: velocity } };
  },
});

/** Adam, Kingma and Ba 2014, algorithm 1: ε outside the bias-corrected root. */
const adamRule = (
  emit: Emit,
  { beta1, beta2, epsilon }: Extract<Optimizer, { tag: 'adam' }>,
  rate: Var,
  step: Var,
): Rule => {
  const count = add(emit, step, scalar(emit, 1));
  const one = scalar(emit, 1);
  const power = (beta: number): Var => emit('pow', {}, [scalar(emit, beta), count]);
  const [beta1Power, beta2Power] = [power(beta1), power(beta2)];
  const first = div(emit, rate, sub(emit, one, beta1Power));
  const second = div(emit, one, sub(emit, one, beta2Power));
  return {
    adam: { beta1, beta2, epsilon, rate, beta1Power, beta2Power },
    update: (parameter, gradient, moment) => {
      const mean = add(emit, times(emit, moment('mean'), beta1), times(emit, gradient, 1 - beta1));
      const square = add(
        emit,
        times(emit, moment('square'), beta2),
        times(emit, mul(emit, gradient, gradient), 1 - beta2),
      );
      const root = unary(emit, 'sqrt', scaled(emit, second, square));
      const change = div(
        emit,
        scaled(emit, first, mean),
        add(emit, root, constantLike(emit, epsilon, root.type)),
      );
      return { next: sub(emit, parameter, change), moments: { mean, square } };
    },
  };
};

const ruleOf = (builder: Builder, optimizer: Optimizer, rate: Var): Rule =>
  optimizer.tag === 'sgd'
    ? sgdRule(builder.emit, optimizer, rate)
    : adamRule(builder.emit, optimizer, rate, builder.bind('scalar', 'step', scalarType));

const totalOf = (emit: Emit, values: readonly Var[]): Var =>
  values.reduce((total, x) => add(emit, total, x), scalar(emit, 0));

/** The gradients' norm, and the gradients after clipping to the optimizer's greatest norm. */
const clipped = (emit: Emit, gradients: readonly Var[], clipNorm: number | undefined) => {
  const squares = gradients.map((g) => sumAll(emit, mul(emit, g, g)));
  const norm = unary(emit, 'sqrt', totalOf(emit, squares));
  if (clipNorm === undefined) return { norm, gradients };
  const limit = scalar(emit, clipNorm);
  const factor = emit('divNoNan', {}, [limit, binary(emit, 'max', norm, limit)]);
  return { norm, gradients: gradients.map((g) => scaled(emit, factor, g)) };
};

/**
 * The whole step. Besides the terms it gives `gradientNorm` and `commit`, which is 1 when the loss, the gradients' norm, the rate and
 * every running statistic are finite; a backend replaces parameters, moments and statistics by their `next` values only then. The next
 * values themselves are not read once more: a gradient whose square overflows has no finite norm, and what is left is a rate or a
 * parameter within a few powers of ten of the greatest float, which may step over it; the step after that is not committed.
 */
export const update = (objective: Program, optimizer: Optimizer): Update => {
  const program = differentiate(objective);
  const builder = createBuilder(program);
  const { emit } = builder;
  const parameters = program.binders.filter((b) => b.kind === 'parameter');
  const { norm, gradients } = clipped(
    emit,
    parameters.map((b) => outputVar(program, 'gradient', b.name)),
    optimizer.clipNorm,
  );
  const rule = ruleOf(builder, optimizer, outputVar(program, 'telemetry', 'rate'));
  const momentName = (moment: string, parameter: string): string => `${optimizer.tag}/${moment}/${parameter}`;
  const updated = parameters.map(({ name, var: x }, i) => ({
    name,
    shape: x.type.shape,
    ...rule.update(x, elementAt(gradients, i), (moment) =>
      builder.bind('state', momentName(moment, name), x.type),
    ),
  }));
  const moments = updated.flatMap(({ name, shape, moments }) =>
    Object.entries(moments).map(([moment, x]) => ({ name: momentName(moment, name), shape, var: x })),
  );
  const next = [...updated.map(({ name, next }) => ({ name, var: next })), ...moments].map(
    ({ name, var: x }): Output => ({ kind: 'next', name, var: x }),
  );
  const kept = program.outputs.filter((o) => o.kind !== 'gradient');
  const checked = totalOf(emit, [
    outputVar(program, 'telemetry', 'loss'),
    mul(emit, outputVar(program, 'telemetry', 'rate'), norm),
    ...kept.filter((o) => o.kind === 'next').map((o) => sumAll(emit, o.var)),
  ]);
  const telemetry: readonly Output[] = [
    { kind: 'telemetry', name: 'gradientNorm', var: norm },
    { kind: 'telemetry', name: 'commit', var: unary(emit, 'finite', checked) },
  ];
  const targets = parameters.map(({ name }, i) => ({
    parameter: name,
    mean: momentName('mean', name),
    square: momentName('square', name),
    gradient: elementAt(gradients, i),
  }));
  return {
    program: {
      ...program,
      binders: builder.binders(),
      equations: builder.equations(),
      outputs: [...kept, ...telemetry, ...next],
      ...(rule.adam === undefined ? {} : { adam: { ...rule.adam, targets } }),
    },
    moments: moments.map(({ name, shape }) => ({ name, shape, initializer: zeros })),
  };
};
