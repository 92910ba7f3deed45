/** Calls that types would refuse, made in plain JavaScript or with arguments turned round, are problems that say where. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  adam,
  affine,
  apply,
  batchNorm,
  checkExperiment,
  conv,
  convTranspose,
  coupling,
  data,
  dense,
  dot,
  draw,
  elementwise,
  experiment,
  input,
  movingAverage,
  network,
  normal,
  observed,
  pipe,
  scale,
  schedule,
  sgd,
  spectral,
  spectralNorm,
  spline,
  sqNorm,
  volume,
} from '../../dsl/index.js';
import {
  ae,
  augmentedLagrangian,
  cae,
  geco,
  injFlow,
  injFlowLn,
  rectangular,
} from '../../objectives/index.js';
import { left } from '../shared/either.js';
import { loadSpec } from '../../runs/load-spec.js';

const folder = mkdtempSync(join(tmpdir(), 'immersion-calls-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('options that there are none of, in plain JavaScript', () => {
  const encoder = network('encoder', pipe(input(4), dense(2)));
  const decoder = network('decoder', pipe(input(2), dense(4)));
  const training = { optimizer: adam({ rate: 1e-3 }), batch: 4, steps: 1, data: 'linear' };
  /** As a call of plain JavaScript, which no type-checker sees. */
  const untyped = (call: (...words: readonly never[]) => unknown, ...words: readonly unknown[]): unknown =>
    Reflect.apply(call, undefined, words);

  test.each([
    ['injFlow', injFlow, 'priors', 'prior'],
    ['injFlowLn', injFlowLn, 'etas', 'eta'],
    ['rectangular', rectangular, 'probs', 'probe'],
    ['cae', cae, 'weigth', 'weight'],
  ] as const)('of %s are problems with the place of the call', (name, call, option, meant) => {
    const objective = untyped(call, encoder, decoder, { [option]: 0.1 });
    const checked = checkExperiment({ encoder, decoder, objective, ...training });
    expect(checked).toMatchObject({
      left: [
        {
          path: expect.stringMatching(
            new RegExp(`^${name}\\(…\\)\\.${option} at calls\\.test\\.ts:\\d+:\\d+$`),
          ),
          found: 'an unknown option',
          hint: `did you mean "${meant}"?`,
        },
      ],
    });
  });
});

describe('options that there are none of', () => {
  /** As calls of plain JavaScript, which no type-checker sees. */
  const untyped = (call: (...words: readonly never[]) => unknown, ...words: readonly unknown[]): unknown =>
    Reflect.apply(call, undefined, words);
  const encoderOf = (...stack: readonly unknown[]) => ({
    encoder: untyped(network, 'encoder', untyped(pipe, ...stack)),
  });
  const termOf = (term: unknown) => ({ objective: { term } });
  const decoder = network('decoder', pipe(input(2), dense(4)));
  const encoder = network('encoder', pipe(input(4), dense(2)));
  const error = sqNorm(data(4));
  const plain = {
    ...{ encoder, decoder, objective: { error }, optimizer: adam({ rate: 1e-3 }) },
    ...{ batch: 4, steps: 1, data: 'linear' },
  };
  const wrong = { biass: 1 };
  const image = input(2, 2, 1);

  const changes: Readonly<Record<string, () => object>> = {
    dense: () => encoderOf(input(4), untyped(dense, 2, wrong)),
    conv: () => encoderOf(image, untyped(conv, 2, { kernel: 1, ...wrong })),
    convTranspose: () => encoderOf(image, untyped(convTranspose, 2, { kernel: 1, ...wrong })),
    batchNorm: () => encoderOf(input(4), untyped(batchNorm, wrong), dense(2)),
    affine: () => encoderOf(observed(4), untyped(elementwise, untyped(affine, wrong))),
    spline: () => encoderOf(observed(4), untyped(elementwise, untyped(spline, wrong))),
    coupling: () => encoderOf(observed(4), untyped(coupling, { conditioner: (of: unknown) => of, ...wrong })),
    spectral: () => encoderOf(input(4), untyped(spectral, dense(2), wrong)),
    spectralNorm: () => ({ encoder: untyped(spectralNorm, encoder, wrong) }),
    adam: () => ({ optimizer: untyped(adam, { rate: 1e-3, ...wrong }) }),
    sgd: () => ({ optimizer: untyped(sgd, { rate: 1e-3, ...wrong }) }),
    draw: () => termOf(untyped(dot, untyped(draw, 'v', normal(4), wrong), data(4))),
    'schedule.power': () =>
      termOf(untyped(scale, untyped(schedule.power, { exponent: 1, scale: 1, ...wrong }), error)),
    movingAverage: () => termOf(untyped(movingAverage, 'm', error, wrong)),
    volume: () => termOf(untyped(volume, decoder, apply(encoder, data(4)), wrong)),
    augmentedLagrangian: () => termOf(untyped(augmentedLagrangian, error, wrong)),
    geco: () => termOf(untyped(geco, error, wrong)),
    experiment: () => Object(untyped(experiment, { ...plain, ...wrong })),
  };

  test.each(Object.entries(changes))('of %s are problems with the place of the call', (name, change) => {
    expect(checkExperiment({ ...plain, ...change() })).toMatchObject({
      left: [
        {
          path: expect.stringContaining(`${name}(…).biass at calls.test.ts:`),
          found: 'an unknown option',
          expected: expect.stringMatching(/^some of /),
        },
      ],
    });
  });

  test('and what are no options at all', () => {
    expect(checkExperiment({ ...plain, ...encoderOf(input(4), untyped(dense, 2, 'relu')) })).toMatchObject({
      left: [{ path: expect.stringMatching(/^dense\(…\) at calls/), found: '"relu" for options' }],
    });
  });
});

test('an objective of networks turned round is said, and not blamed on the data', () => {
  const encoder = network('encoder', pipe(input(4), dense(2)));
  const decoder = network('decoder', pipe(input(2), dense(4)));
  const training = { optimizer: adam({ rate: 1e-3 }), batch: 4, steps: 1, data: 'linear' };
  const turned = experiment({ encoder, decoder, objective: ae(decoder, encoder), ...training });
  expect(checkExperiment(turned)).toMatchObject({
    left: [
      {
        path: 'objective',
        found: 'data of shape [2], which network "decoder" is applied to',
        hint: 'the encoder comes first: (encoder, decoder)',
      },
    ],
  });
  const injective = experiment({ encoder, decoder, objective: injFlow(decoder, encoder), ...training });
  expect(checkExperiment(injective)).toMatchObject({
    left: [
      {
        path: expect.stringMatching(/^injFlow\(…\) at calls/),
        found: '4 codes for 2 numbers of an example',
        hint: expect.stringContaining('the encoder comes first: injFlow(encoder, decoder)'),
      },
    ],
  });
});

test('an error on loading a specification says where it was thrown', async () => {
  const path = join(folder, 'spec.mjs');
  writeFileSync(path, "const name = 'a';\nexport default name.first.second;\n");
  expect(await loadSpec(path)).toMatchObject({
    left: [
      {
        path,
        found: expect.stringMatching(
          /^an error on loading \(Cannot read properties .* at spec\.mjs:2:\d+\)$/,
        ),
      },
    ],
  });
});

describe('an optimizer that there is none of shows the list', () => {
  const encoder = network('encoder', pipe(input(4), dense(2)));
  const decoder = network('decoder', pipe(input(2), dense(4)));
  const rest = { encoder, decoder, objective: ae(encoder, decoder), batch: 4, steps: 1, data: 'linear' };
  const untyped = (call: (options: never) => unknown, ...words: readonly unknown[]): unknown =>
    Reflect.apply(call, undefined, words);
  const all = 'adam, adamW, sgd, nadam, lion, rmsProp, adagrad, adafactor';

  test.each([
    ['a name', 'adamw', { path: 'optimizer', found: '"adamw"', expected: `one of ${all}` }],
    ['a tag', { tag: 'Adam', rate: 1 }, { path: 'optimizer', found: '"Adam"', expected: `one of ${all}` }],
    ['other options', untyped(adam, { lr: 1 }), { found: 'an unknown option', hint: 'did you mean "rate"?' }],
    [
      'no options',
      untyped(sgd),
      { found: 'no options', expected: expect.stringMatching(/^an object with rate/) },
    ],
    [
      'a number',
      untyped(sgd, 0.1),
      { found: '0.1', path: expect.stringMatching(/^sgd\(…\) at calls\.test/) },
    ],
  ])('as %s', (_, optimizer, wanted) => {
    const problems = left(checkExperiment({ ...rest, optimizer, validation: { every: 1 } }));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject(wanted);
  });

  test.each([
    "The requested module 'immersion/dsl' does not provide an export named 'adamw'",
    'd.adamw is not a function',
    'adamw is not defined',
  ])('in a module: %s', async (text) => {
    const path = join(folder, `${text.length}.mjs`);
    writeFileSync(path, `throw new Error(${JSON.stringify(text)});\n`);
    expect(left(await loadSpec(path))[0]?.hint).toBe(`did you mean "adamW"? the optimizers are ${all}`);
  });
});
