/** Appends the optimizer: gradients become next parameters and moments, so that the whole step is one program. */
import { zeros } from '../dsl/initializer.js';
import type { Optimizer } from '../dsl/optimizer.js';
import { createBuilder, type Builder } from './builder.js';
import { differentiate, gradientName, outputVar } from './differentiate.js';
import type { StateSpec } from './elaborate/context.js';
import { add, binary, constantLike, div, fillShape, mul, sub, sumAll, times, unary } from './operations.js';
import type { Emit, Output, Program, Var } from './program.js';
import { scalarType } from './type.js';

type Update = { readonly program: Program; readonly moments: readonly StateSpec[] };

/** One parameter's update: its next value, and what its moments become. */
type Rule = (
  parameter: Var,
  gradient: Var,
  moment: (name: string) => Var,
) => {
  readonly next: Var;
  readonly moments: readonly (readonly [string, Var])[];
};

const scalar = (emit: Emit, value: number): Var => constantLike(emit, value, scalarType);

const scaled = (emit: Emit, by: Var, x: Var): Var => mul(emit, fillShape(emit, by, x.type.shape), x);

/** m ← momentum·m + g; θ ← θ − rate·m, or with Nesterov θ − rate·(g + momentum·m). */
const sgdRule =
  (emit: Emit, { momentum, nesterov }: Extract<Optimizer, { tag: 'sgd' }>, rate: Var): Rule =>
  (parameter, gradient, moment) => {
    if (momentum === 0) return { next: sub(emit, parameter, scaled(emit, rate, gradient)), moments: [] };
    const velocity = add(emit, times(emit, moment('momentum'), momentum), gradient);
    const direction = nesterov ? add(emit, gradient, times(emit, velocity, momentum)) : velocity;
    return { next: sub(emit, parameter, scaled(emit, rate, direction)), moments: [['momentum', velocity]] };
  };

/** Adam, Kingma and Ba 2014, algorithm 1: ε outside the bias-corrected root. */
const adamRule = (
  emit: Emit,
  { beta1, beta2, epsilon }: Extract<Optimizer, { tag: 'adam' }>,
  rate: Var,
  step: Var,
): Rule => {
  const count = add(emit, step, scalar(emit, 1));
  const correction = (beta: number): Var =>
    sub(emit, scalar(emit, 1), emit('pow', {}, [scalar(emit, beta), count]));
  const first = div(emit, rate, correction(beta1));
  const second = div(emit, scalar(emit, 1), correction(beta2));
  return (parameter, gradient, moment) => {
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
    return {
      next: sub(emit, parameter, change),
      moments: [
        ['mean', mean],
        ['square', square],
      ],
    };
  };
};

const ruleOf = (builder: Builder, optimizer: Optimizer, rate: Var): Rule =>
  optimizer.tag === 'sgd'
    ? sgdRule(builder.emit, optimizer, rate)
    : adamRule(builder.emit, optimizer, rate, builder.bind('scalar', 'step', scalarType));

/**
 * The whole step. Besides the terms it gives `gradientNorm` and `commit`, which is 1 when the loss and everything that would be
 * assigned are finite; a backend replaces parameters, moments and statistics by their `next` values only then.
 */
export const update = (objective: Program, optimizer: Optimizer): Update => {
  const program = differentiate(objective);
  const builder = createBuilder(program);
  const { emit } = builder;
  const parameters = program.binders.filter((b) => b.kind === 'parameter');
  const gradients = parameters.map((b) => outputVar(program, gradientName(b.name)));
  const squares = gradients
    .map((g) => sumAll(emit, mul(emit, g, g)))
    .reduce((total, term) => add(emit, total, term), scalar(emit, 0));
  const norm = unary(emit, 'sqrt', squares);
  const { clipNorm } = optimizer;
  const clip = (g: Var): Var => {
    if (clipNorm === undefined) return g;
    const factor = emit('divNoNan', {}, [
      scalar(emit, clipNorm),
      binary(emit, 'max', norm, scalar(emit, clipNorm)),
    ]);
    return scaled(emit, factor, g);
  };
  const rule = ruleOf(builder, optimizer, outputVar(program, 'rate'));
  const moments: StateSpec[] = [];
  const next = parameters.flatMap((b, i): readonly Output[] => {
    const moment = (name: string): Var => {
      const spec = {
        name: `${optimizer.tag}/${name}/${b.name}`,
        shape: b.var.type.shape,
        initializer: zeros,
      };
      moments.push(spec);
      return builder.bind('state', spec.name, b.var.type);
    };
    const result = rule(b.var, clip(gradients[i]), moment);
    return [
      { kind: 'next', name: b.name, var: result.next },
      ...result.moments.map(([name, x]) => ({
        kind: 'next' as const,
        name: `${optimizer.tag}/${name}/${b.name}`,
        var: x,
      })),
    ];
  });
  const kept = program.outputs.filter((o) => !parameters.some((b) => o.name === gradientName(b.name)));
  const assigned = [...next, ...kept.filter((o) => o.kind === 'next')];
  const broken = assigned
    .map((o) => sumAll(emit, sub(emit, constantLike(emit, 1, o.var.type), unary(emit, 'finite', o.var))))
    .reduce((total, term) => add(emit, total, term), scalar(emit, 0));
  const none = emit('greater', {}, [scalar(emit, 0.5), broken]);
  const commit = mul(emit, unary(emit, 'finite', outputVar(program, 'loss')), none);
  const telemetry: readonly Output[] = [
    { kind: 'value', name: 'gradientNorm', var: norm },
    { kind: 'value', name: 'commit', var: commit },
  ];
  return {
    program: {
      ...program,
      binders: builder.binders(),
      equations: builder.equations(),
      outputs: [...kept, ...telemetry, ...next],
    },
    moments,
  };
};
