/** Well-formed experiments that cannot mean anything: names taken twice or reserved, and numbers that cannot work. */
import { isLeft } from 'fp-ts/lib/Either.js';
import { expect, test } from 'vitest';
import { checkExperiment, decodeExperiment } from '../../../dsl/codec/index.js';
import { sphere } from '../../../dsl/expressions/draw.js';
import type { Experiment } from '../../../dsl/experiment.js';
import { experiment } from '../../../dsl/experiment.js';
import {
  add,
  apply,
  dataOf,
  div,
  draw,
  fill,
  hyper,
  mul,
  neg,
  parameter,
  scale,
  sqNorm,
  square,
  step,
  sub,
  sum,
} from '../../../dsl/expressions/expression.js';
import { zeros } from '../../../dsl/layers/initializer.js';
import { dense, input } from '../../../dsl/layers/layer.js';
import { network } from '../../../dsl/network.js';
import { adam } from '../../../dsl/optimizer.js';
import { showProblem } from '../../../dsl/problem.js';
import { schedule } from '../../../dsl/expressions/schedule.js';
import { compile } from '../../../compiler/compile.js';
import { sizeOf } from '../../../dsl/shape.js';
import { createSession, initialState } from '../../../runs/index.js';
import { backends } from '../../shared/backends.js';
import { left, right } from '../../shared/either.js';

const encoder = network('encoder', dense(2)(input(3)));
const decoder = network('decoder', dense(3)(input(2)));

const small = experiment({
  encoder,
  decoder,
  objective: { term: step },
  optimizer: adam({ rate: 1e-3 }),
  batch: 8,
  steps: 100,
  data: 'digits',
});

const written = {
  schemaVersion: 1,
  networks: Object.fromEntries([encoder, decoder].map(({ name, ...body }) => [name, body])),
  encoder: 'encoder',
  decoder: 'decoder',
  batch: 8,
  steps: 100,
  data: 'digits',
};

const problemsOf = (changes: Partial<Experiment>): readonly string[] => {
  const value = { ...small, ...changes };
  const found = left(checkExperiment(value)).map(showProblem);
  // The same of what another program may have written.
  const json = { ...written, objective: value.objective, optimizer: value.optimizer };
  expect(left(decodeExperiment(json)).map(showProblem)).toEqual(found);
  return found;
};

test('draws and parameters have one namespace, with what every program has', () => {
  const term = add(sum(draw('v', sphere(2))), sum(parameter('v', zeros, 2)));
  const inputs = add(sum(draw('data', sphere(2))), sum(parameter('step', zeros, 2)));
  const slash = sum(draw('encoder/0/kernel', sphere(2)));
  expect(problemsOf({ objective: { term, inputs } })).toMatchInlineSnapshot(`
    [
      "objective.inputs.left.of.name: found a reserved name, expected another name (every program has an input "data" of its own)",
      "objective.inputs.right.of.name: found a reserved name, expected another name (every program has an input "step" of its own)",
      "objective.term.right.of: found a parameter named "v", expected another name: "v" is a draw already (draws, parameters and running values share their names; give one of them another name)",
    ]
  `);
  expect(problemsOf({ objective: { slash } })).toMatchInlineSnapshot(`
    [
      "objective.slash.of.name: found "encoder/0/kernel", expected a non-empty name without "/"",
    ]
  `);
  expect(
    isLeft(
      checkExperiment({ ...small, objective: { term: sum(draw('eta', sphere(2))), eta: hyper('eta', 1) } }),
    ),
  ).toBe(false);
});

test('no name of a term is taken by the step', async () => {
  const names = ['loss', 'rate', 'gradientNorm', 'commit', 'next x', 'gradient x', 'loss (surrogate)'];
  const terms = Object.fromEntries(names.map((name, i) => [name, scale(i + 1, step)]));
  const objective = {
    ...terms,
    reconstruction: sqNorm(sub(dataOf(encoder), apply(decoder, apply(encoder, dataOf(encoder))))),
  };
  const compiled = right(compile(right(checkExperiment({ ...small, objective }))));
  const session = await createSession(compiled, backends.wasm, initialState(compiled, 0));
  const batch = new Float32Array(compiled.step.batch * sizeOf(encoder.input));
  await session.step(batch);
  const { terms: found, loss, committed } = await session.step(batch);
  session.dispose();
  expect(committed).toBe(true);
  expect(names.map((name) => found[name])).toEqual(names.map((_, i) => i + 1));
  expect(loss).toBeCloseTo(
    names.reduce((sum, _, i) => sum + i + 1, found['reconstruction'] ?? NaN),
    4,
  );
});

test('a hyper-parameter is not called as a field that --set changes', () => {
  const names = ['data', 'batch', 'steps', 'validation.every', 'optimizer.rate'];
  const objective = Object.fromEntries(names.map((name, i) => [`term${i}`, hyper(name, 1)]));
  expect(problemsOf({ objective })).toMatchInlineSnapshot(`
    [
      "objective.term0.name: found a reserved name, expected another name (--set data is a field of the experiment or of its optimizer)",
      "objective.term1.name: found a reserved name, expected another name (--set batch is a field of the experiment or of its optimizer)",
      "objective.term2.name: found a reserved name, expected another name (--set steps is a field of the experiment or of its optimizer)",
      "objective.term3.name: found a reserved name, expected another name (--set validation.every is a field of the experiment or of its optimizer)",
      "objective.term4.name: found a reserved name, expected another name (--set optimizer.rate is a field of the experiment or of its optimizer)",
    ]
  `);
});

test('a division by a number that is 0', () => {
  const none = hyper('none', 0);
  const objective = {
    constant: div(step, 0),
    hyper: div(step, none),
    product: div(step, mul(2, neg(square(none)))),
    array: sum(div(fill(1, 2), scale(none, fill(1, 2)))),
    sum: div(step, add(none, 1)),
  };
  expect(problemsOf({ objective })).toMatchInlineSnapshot(`
    [
      "objective.constant.right: found 0, expected a divisor that is not zero",
      "objective.hyper.right: found 0, expected a divisor that is not zero",
      "objective.product.right: found 0, expected a divisor that is not zero",
      "objective.array.of.right: found 0, expected a divisor that is not zero",
    ]
  `);
  const rates = [schedule.linear(1, 0, 0), schedule.warmUp(0, 1), schedule.exponential(1, 0)];
  for (const rate of rates)
    expect(problemsOf({ optimizer: adam({ rate }) })).toEqual([
      expect.stringMatching(/^optimizer\.rate\..*right: found 0, expected a divisor that is not zero$/),
    ]);
});

test('a rate that is no positive number', () => {
  expect(problemsOf({ optimizer: adam({ rate: 0 }) })).toEqual([
    'optimizer.rate.value: found 0, expected a positive number',
  ]);
  expect(problemsOf({ optimizer: adam({ rate: hyper('speed', -1) }) })).toEqual([
    'optimizer.rate.value: found -1, expected a positive number',
  ]);
  expect(isLeft(checkExperiment({ ...small, optimizer: adam({ rate: schedule.linear(1, 0, 10) }) }))).toBe(
    false,
  );
});
