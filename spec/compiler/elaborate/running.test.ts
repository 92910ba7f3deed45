/** Running values: what they become, what reads them, what is wrong with them, and the multipliers made of them. */
import { entryOf, float64At } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { pipe } from 'fp-ts/lib/function.js';
import { describe, expect, test as example } from 'vitest';
import { compile } from '../../../compiler/compile.js';
import { differentiate } from '../../../compiler/derivatives/differentiate.js';
import { elaborateEvaluation, elaborateStep } from '../../../compiler/elaborate/program.js';
import { checkExperiment } from '../../../dsl/codec/index.js';
import { type Experiment, experiment, type Objective } from '../../../dsl/experiment.js';
import {
  add,
  data,
  type Expr,
  mul,
  parameter,
  scale,
  sqNorm,
  sqNormOfWeights,
  sub,
  sum,
} from '../../../dsl/expressions/expression.js';
import { objectiveFormula } from '../../../dsl/printing/format.js';
import { dense, input, tanh } from '../../../dsl/layers/layer.js';
import { network } from '../../../dsl/network.js';
import { adam, sgd } from '../../../dsl/optimizer.js';
import { ones } from '../../../dsl/layers/initializer.js';
import { showProblem } from '../../../dsl/problem.js';
import { movingAverage, running } from '../../../dsl/expressions/running.js';
import type { Scalar } from '../../../dsl/shape.js';
import { ae, augmentedLagrangian, geco, reconstructionConstraint } from '../../../objectives/index.js';
import type { Backend } from '../../../backends/backend.js';
import { createSession, initialState } from '../../../runs/index.js';
import { backends, hasNative, nativeBackend } from '../../shared/backends.js';
import { left, right } from '../../shared/either.js';
import { arrayOf } from '../../shared/expressions.js';
import { type Arrays, gradientName, interpret } from '../../shared/outputs.js';

const encoder = network('encoder', pipe(input(2), dense(2)));
const decoder = network('decoder', pipe(input(2), dense(4), tanh, dense(2)));
const batch = 3;

const training = (objective: Objective, changes: Partial<Experiment> = {}): Experiment => ({
  ...experiment({
    encoder,
    decoder,
    objective,
    optimizer: sgd({ rate: 0.1 }),
    batch,
    steps: 100,
    data: 'none',
  }),
  ...changes,
});

const x = data(2);
const numbers = fc.array(fc.double({ min: -3, max: 3, noNaN: true }), {
  minLength: 2 * batch,
  maxLength: 2 * batch,
});

/** Values of a step program, given the state of running values. */
const stepOf = (
  objective: Objective,
  state: Readonly<Record<string, number>>,
  values: readonly number[],
  step: number,
) => {
  const { program } = elaborateStep(training(objective));
  const inputs: Arrays = new Map([
    ['data', Float64Array.from(values)],
    ['step', Float64Array.of(step)],
    ...Object.entries(state).map(([name, value]) => [name, Float64Array.of(value)] as const),
    ['w', Float64Array.of(1, 1)],
  ]);
  const found = interpret(differentiate(program), inputs);
  return (name: string): number => float64At(arrayOf(found, name), 0);
};

const close = (found: number, expected: number): void =>
  expect(Math.abs(found - expected)).toBeLessThan(1e-9 * Math.max(1, Math.abs(expected)));

describe('a running value', () => {
  const old = fc.double({ min: -2, max: 2, noNaN: true });

  test.prop([numbers, old])(
    'is the one before the update, and becomes the mean of its update',
    (values, before) => {
      const total = running('total', 0, (previous) => add(scale(0.5, previous), sum(x)));
      const value = stepOf({ term: scale(2, total) }, { total: before }, values, 0);
      close(value('term'), 2 * before);
      close(value('next total'), 0.5 * before + values.reduce((a, b) => a + b, 0) / batch);
    },
  );

  test.prop([numbers, old, fc.nat(3)])(
    'moving averages begin with the first value',
    (values, before, step) => {
      const value = stepOf(
        { term: movingAverage('m', sqNorm(x), { decay: 0.9 }) },
        { m: before },
        values,
        step,
      );
      const mean = values.reduce((total, v) => total + v * v, 0) / batch;
      close(value('next m'), step === 0 ? mean : 0.9 * before + 0.1 * mean);
    },
  );

  test.prop([numbers, old])('carries no gradient', (values, before) => {
    const w = parameter('w', ones, 2);
    const product = sum(mul(x, w));
    const tracked = running('tracked', 1, (previous) => add(previous, product));
    const value = stepOf({ term: mul(tracked, product) }, { tracked: before }, values, 0);
    const mean = values.filter((_, i) => i % 2 === 0).reduce((a, b) => a + b, 0) / batch;
    close(value(gradientName('w')), before * mean);
  });

  example('is read in evaluation, and stays', () => {
    const total = running('total', 4, (previous) => add(previous, sum(x)));
    const { program, context } = elaborateEvaluation(training({ term: total }));
    expect(program.outputs.map((o) => [o.kind, o.name])).toEqual([['term', 'term']]);
    expect(context.states.get('total')).toEqual({
      name: 'total',
      shape: [],
      initializer: { tag: 'constant', value: 4 },
    });
  });
});

describe('what is wrong with a running value', () => {
  const reading: Expr<Scalar> = { tag: 'running', name: 'r', initial: 0 };
  const lines = (objective: Objective): readonly string[] =>
    left(checkExperiment(training(objective))).map(showProblem);
  const up = running('r', 0, (previous) => add(previous, 1));

  example('nothing updates it', () => {
    expect(lines({ a: reading, b: scale(2, reading) })).toMatchInlineSnapshot(`
      [
        "objective.a.update: found nothing, expected an expression of what the running value becomes",
      ]
    `);
  });
  example('it is updated in two ways, or begins in two', () => {
    expect(lines({ a: up, b: running('r', 0, (previous) => sub(previous, 1)) })).toMatchInlineSnapshot(`
      [
        "objective.b.update: found another update of "r", expected the same update as where it occurs first (give one of them another name)",
      ]
    `);
    expect(lines({ a: up, b: { tag: 'running', name: 'r', initial: 1 } })).toMatchInlineSnapshot(`
      [
        "objective.b: found another running value named "r", expected the same running value as where the name occurs first (give one of them another name)",
      ]
    `);
    expect(lines({ a: up, b: sum(parameter('r', ones, 2)) })).toMatchInlineSnapshot(`
      [
        "objective.b.of: found a parameter named "r", expected another name: "r" is a running value already (draws, parameters and running values share their names; give one of them another name)",
      ]
    `);
  });
  example('its update is no scalar', () => {
    const wrong: Expr<Scalar> = { tag: 'running', name: 'r', initial: 0, update: x };
    expect(left(compile(training({ a: wrong }))).map(showProblem)).toMatchInlineSnapshot(`
      [
        "objective.a.update: found [2], expected a scalar",
      ]
    `);
  });
});

describe('multipliers', () => {
  const constraint = sub(sqNorm(x), 2);
  const number = fc.double({ min: 0, max: 5, noNaN: true });
  const average = fc.double({ min: -4, max: 4, noNaN: true });

  test.prop([numbers, number, average])('the method of multipliers', (values, lambda, mean) => {
    const mu = augmentedLagrangian(constraint, { rate: 0.1, penalty: 3 });
    const value = stepOf({ mu }, { multiplier: lambda, multiplierAverage: mean }, values, 5);
    close(value('mu'), Math.max(0, lambda + 3 * mean));
    close(value('next multiplier'), Math.max(0, lambda + 0.1 * mean));
    const found = values.reduce((total, v) => total + v * v, 0) / batch - 2;
    close(value('next multiplierAverage'), 0.99 * mean + 0.01 * found);
  });

  test.prop([numbers, number, average])('GECO', (values, lambda, mean) => {
    const mu = geco(constraint, { rate: 0.1 });
    const value = stepOf({ mu }, { multiplier: lambda, multiplierAverage: mean }, values, 5);
    close(value('mu'), lambda);
    close(value('next multiplier'), Math.min(1e6, Math.max(1e-6, lambda * Math.exp(0.1 * mean))));
  });

  example('their formulas', () => {
    const mu = augmentedLagrangian(reconstructionConstraint(encoder, decoder, 0.5));
    expect(objectiveFormula({ reconstruction: scale(mu, ae(encoder, decoder).reconstruction) }))
      .toMatchInlineSnapshot(`
        "reconstruction = min(max(multiplier + penalty·multiplierAverage, 0), 1000000)·‖x − decoder(encoder(x))‖²

        multiplierAverage ← select([i > 0], ‖x − decoder(encoder(x))‖² − 0.5 + 0.99·(multiplierAverage − (‖x − decoder(encoder(x))‖² − 0.5)), ‖x − decoder(encoder(x))‖² − 0.5)
        multiplier        ← min(max(multiplier + multiplierRate·multiplierAverage, 0), 1000000)"
      `);
  });
});

/**
 * The least a² + b² for which x ↦ abx leaves a squared error of at most 0.05: with m the mean of x², (1 − ab)²m = 0.05, a = b, and
 * the multiplier of 0.1(a² + b²) is 0.1/((1 − ab)m).
 */
const constrained = async (schedule: typeof geco, backend: Backend): Promise<void> => {
  const coder = dense(1, { bias: false })(input(1));
  const line = { encoder: network('encoder', coder), decoder: network('decoder', coder) };
  const mu = schedule(reconstructionConstraint(line.encoder, line.decoder, 0.05), { rate: 0.2, decay: 0.9 });
  const { reconstruction } = ae(line.encoder, line.decoder);
  const decay = scale(0.1, add(sqNormOfWeights(line.decoder), sqNormOfWeights(line.encoder)));
  const objective = {
    reconstruction: scale(mu, reconstruction),
    decay,
    error: scale(1e-9, reconstruction),
    mu,
  };
  const spec = training(objective, { ...line, optimizer: adam({ rate: 1e-2 }), steps: 1000 });
  const compiled = right(compile(spec));
  const session = await createSession(compiled, backend, initialState(compiled, 2));
  const points = [1, -0.4, -0.9];
  for (let i = 0; i < 999; i++) await session.step(Float32Array.from(points));
  const { terms } = await session.step(Float32Array.from(points));
  session.dispose();
  const m = points.reduce((total, p) => total + p * p, 0) / points.length;
  expect(entryOf(terms, 'error') * 1e9).toBeCloseTo(0.05, 3);
  expect(terms['mu']).toBeCloseTo(0.1 / (Math.sqrt(0.05 / m) * m), 2);
};

describe.each([
  ['the method of multipliers', augmentedLagrangian],
  ['GECO', geco],
])('training with %s ends at the constrained minimum and its multiplier', (_, schedule) => {
  example('on wasm', () => constrained(schedule, backends.wasm));
  example.runIf(hasNative())('on native', () => constrained(schedule, right(nativeBackend())));
});
