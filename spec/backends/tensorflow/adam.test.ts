/** TensorFlow's own Adam is found where a step says so, and takes weights where the equations of any optimizer do. */
import { describe, expect, test } from 'vitest';
import { adamUpdatesIn } from '../../../backends/tensorflow/lower/graph-adam.js';
import { compile } from '../../../compiler/index.js';
import {
  accumulate,
  adafactor,
  adam,
  adamW,
  averaged,
  chain,
  type Experiment,
  lion,
  lookahead,
  nadam,
  only,
  type Optimizer,
  scaleByAdam,
  scaleByRate,
  schedule,
  sgd,
  sizeOf,
} from '../../../dsl/index.js';
import mlp from '../../../examples/mlp.js';
import { createSession, initialState, type TrainState } from '../../../runs/index.js';
import { backends, hasNative, nativeBackend } from '../../shared/backends.js';
import { right } from '../../shared/either.js';
import { examples, fieldExamples, pixels } from '../../shared/examples.js';

const compiledWith = (optimizer: Optimizer, experiment: Experiment = mlp) =>
  right(compile({ ...experiment, optimizer, batch: 4 }));

describe('in the step of', () => {
  test.each(Object.entries({ ...examples, ...fieldExamples }))(
    '%s every weight is changed by it',
    (_, { experiment }) => {
      const { step } = right(compile(experiment));
      const weights = step.binders.flatMap(({ kind, name }) => (kind === 'parameter' ? [name] : []));
      const found = adamUpdatesIn(step);
      expect(found).toHaveLength(1);
      expect(found.flatMap(({ targets }) => targets.map(({ parameter }) => parameter)).sort()).toEqual(
        weights.sort(),
      );
      expect(found.flatMap(({ targets }) => targets.map(({ gradient }) => gradient.factor))).toEqual(
        weights.map(() => 1),
      );
    },
  );

  const parted = chain(
    only('encoder', scaleByAdam()),
    only('decoder', scaleByAdam({ beta1: 0.5 })),
    scaleByRate(schedule.warmUp(10, 1e-3)),
  );
  test.each<readonly [string, Optimizer, readonly number[]]>([
    ['adam', adam({ rate: 1e-3 }), [12]],
    ['adam with a schedule and clipping', adam({ rate: schedule.warmUp(10, 1e-3), clipNorm: 1 }), [12]],
    ['two kinds of adam', parted, [6, 6]],
    ['averaged adam', averaged(adam({ rate: 1e-3 })), [12]],
    ['adamW', adamW({ rate: 1e-3 }), []],
    ['nadam', nadam({ rate: 1e-3 }), []],
    ['accumulated adam', accumulate(2, adam({ rate: 1e-3 })), []],
    ['adam with lookahead', lookahead(adam({ rate: 1e-3 })), []],
    ['sgd', sgd({ rate: 1e-3, momentum: 0.9 }), []],
  ])('%s it is found for as many weights', (_, optimizer, counts) => {
    const found = adamUpdatesIn(compiledWith(optimizer).step);
    expect(found.map(({ targets }) => targets.length)).toEqual(counts);
  });
});

/** The state after some steps. */
const trained = async (
  optimizer: Optimizer,
  backend: Parameters<typeof createSession>[1],
): Promise<TrainState> => {
  const compiled = compiledWith(optimizer);
  const session = await createSession(compiled, backend, initialState(compiled, 3));
  const data = pixels(4 * sizeOf(compiled.experiment.encoder.input));
  for (let i = 0; i < 5; i++) await session.step(data);
  const state = await session.state();
  session.dispose();
  return state;
};

test.runIf(hasNative()).each<readonly [string, Optimizer]>([
  ['adam', adam({ rate: 1e-2, clipNorm: 10 })],
  [
    'two kinds of adam',
    chain(only('encoder', scaleByAdam()), only('decoder', scaleByAdam({ beta1: 0.5 })), scaleByRate(1e-2)),
  ],
  ['averaged adam', averaged(adam({ rate: 1e-2 }), { decay: 0.5 })],
  ['adamW', adamW({ rate: 1e-2, weightDecay: 0.1 })],
  ['accumulated adam with lookahead', lookahead(accumulate(2, adam({ rate: 1e-2 })), { period: 2 })],
  ['lion', lion({ rate: 1e-3 })],
  ['adafactor', adafactor({ rate: 1e-2, least: 2 })],
])('%s goes where it goes on wasm', async (_, optimizer) => {
  const [native, wasm] = [
    await trained(optimizer, right(nativeBackend())),
    await trained(optimizer, backends.wasm),
  ];
  expect([...native.arrays.keys()].sort()).toEqual([...wasm.arrays.keys()].sort());
  for (const [name, { data }] of wasm.arrays) {
    const other = native.arrays.get(name)?.data ?? new Float32Array();
    const most = data.reduce((greatest, x) => Math.max(greatest, Math.abs(x)), 1e-3);
    const off = data.reduce(
      (greatest, x, i) => Math.max(greatest, Math.abs(x - (other[i] ?? Number.NaN))),
      0,
    );
    expect(off, name).toBeLessThan(2e-3 * most);
  }
});
