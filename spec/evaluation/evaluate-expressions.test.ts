/** Any expression of a trained model over any data: what the model itself computes, whatever the batch, and problems with paths. */
import { entryOf } from '../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { afterAll, describe, expect, test as example } from 'vitest';
import { loadData } from '../../data/index.js';
import {
  adam,
  batchNorm,
  conv,
  data,
  dense,
  draw,
  dropout,
  elu,
  experiment,
  flatten,
  hyper,
  input,
  jvp,
  mul,
  network,
  type Node,
  norm,
  orthonormal,
  pipe,
  reshape,
  scale,
  sigmoid,
  sqNorm,
  step,
  sub,
  apply,
  tanh,
} from '../../dsl/index.js';
import { injFlowLn } from '../../objectives/index.js';
import { evaluateExpressions, type Examples, fit, openExpressions } from '../../runs/index.js';
import { backends } from '../shared/backends.js';
import { left, right } from '../shared/either.js';
import { calculate } from '../shared/expressions.js';

const encoder = network(
  'encoder',
  pipe(input(8, 8, 1), conv(2, { kernel: 3, stride: 2 }), batchNorm(), elu, flatten, dropout(0.3), dense(3)),
);
const decoder = network(
  'decoder',
  pipe(input(3), dense(16), batchNorm(), tanh, dense(64), sigmoid, reshape(8, 8, 1)),
);
const digits = right(await loadData('digits')());
const backend = backends.wasm;
const spec = experiment({
  encoder,
  decoder,
  objective: injFlowLn(encoder, decoder, { eta: hyper('eta', 0.25) }),
  optimizer: adam({ rate: 1e-3 }),
  batch: 16,
  steps: 12,
  data: 'digits',
  validation: { every: 0 },
});
const before = backend.liveCount();
const model = right(await fit(spec, { data: digits, backend, seed: 3 }));
afterAll(() => {
  model.dispose();
  expect(backend.liveCount()).toBe(before);
});

const x = data(8, 8, 1);
const h = apply(encoder, x);
const frame = draw('frame', orthonormal(3), { probes: 3 });
const some = (count: number): Examples => ({
  shape: [8, 8, 1],
  examples: digits.test.examples.subarray(0, 64 * count),
});
const values = async (expressions: Readonly<Record<string, Node>>, examples = some(9)) =>
  right(await evaluateExpressions(model, expressions, examples));

describe('the value of an expression', () => {
  example('is what the model computes: its code and its reconstruction', async () => {
    const found = await values({ code: h, image: apply(decoder, h) }, some(20));
    expect(found['code']).toEqual({ shape: [3], values: await model.encode(some(20).examples) });
    expect(found['image']).toEqual({ shape: [8, 8, 1], values: await model.reconstruct(some(20).examples) });
  });

  example('is that of the float64 interpreter with the same weights, in inference mode', async () => {
    const z = data(3);
    const expressions = { J: jvp(decoder, z, frame), frame, size: norm(apply(decoder, z)) };
    const codes = await model.encode(some(5).examples);
    const found = await values(expressions, { shape: [3], examples: codes });
    const { arrays } = await model.state();
    const given = new Map(
      [...arrays]
        .map(([name, array]): readonly [string, Float32Array] => [name, array.data])
        .concat([
          ['data', codes],
          ['frame', entryOf(found, 'frame').values],
        ])
        .map(([name, array]) => [name, Float64Array.from(array)]),
    );
    const exact = calculate(expressions, { batch: 5, given, mode: 'inference' });
    expect(entryOf(found, 'J').shape).toEqual([3, 8, 8, 1]);
    for (const name of ['J', 'size']) {
      expect(entryOf(found, name).values.length).toBe(exact(name).length);
      exact(name).forEach((value, i) => expect(entryOf(found, name).values[i]).toBeCloseTo(value, 5));
    }
  });

  test.prop([fc.integer({ min: 1, max: 40 })], { numRuns: 6 })(
    'of an example does not depend on the others, draws included',
    async (count) => {
      const expressions = { code: h, frame };
      const [few, all] = [await values(expressions, some(count)), await values(expressions, some(299))];
      for (const name of ['code', 'frame']) {
        expect(entryOf(few, name).values).toEqual(
          entryOf(all, name).values.subarray(0, entryOf(few, name).values.length),
        );
      }
    },
  );

  example('is fed by the experiment: its hyper-parameters, its step, data of any shape', async () => {
    const pair = data(2);
    const expressions = {
      eta: hyper('eta', 7),
      step,
      both: mul(hyper('eta', 1), step),
      pair: scale(2, pair),
    };
    const found = await values(expressions, { shape: [2], examples: Float32Array.of(1, 2, 3, 4) });
    expect([...entryOf(found, 'eta').values]).toEqual([0.25, 0.25]);
    expect([...entryOf(found, 'step').values]).toEqual([12, 12]);
    expect([...entryOf(found, 'both').values]).toEqual([3, 3]);
    expect([...entryOf(found, 'pair').values]).toEqual([2, 4, 6, 8]);
  });

  example('in parts is that of the whole, where each part says the number of its first example', async () => {
    const whole = entryOf(await values({ frame }, some(10)), 'frame').values;
    const { evaluate, dispose } = right(await openExpressions(model, { frame }, [8, 8, 1]));
    const part = async (first: number, end: number): Promise<Float32Array> =>
      right(await evaluate(some(end).examples.subarray(64 * first), first)).frame.values;
    expect(await part(0, 4)).toEqual(whole.subarray(0, 4 * 9));
    expect(await part(4, 10)).toEqual(whole.subarray(4 * 9));
    dispose();
  });

  example('within a limit of FLOPs is that of the first examples', async () => {
    const examples = some(20);
    const all = right(await evaluateExpressions(model, { code: h }, examples));
    const one = right(await evaluateExpressions(model, { code: h }, examples, { flops: 1 }));
    expect(one.code.values).toEqual(all.code.values.subarray(0, 3));
    const few = right(await evaluateExpressions(model, { code: h }, examples, { flops: 1e4 })).code.values;
    expect(few.length).toBeGreaterThan(3);
    expect(few.length).toBeLessThan(60);
    expect(few).toEqual(all.code.values.subarray(0, few.length));
  });

  example('of no example is empty', async () => {
    expect(await values({ code: h }, some(0))).toEqual({ code: { shape: [3], values: new Float32Array() } });
  });

  example('of all terms is what validation reports, where nothing is drawn', async () => {
    const reconstruction = entryOf(spec.objective, 'reconstruction');
    const found = await values({ reconstruction }, digits.test);
    const mean =
      entryOf(found, 'reconstruction').values.reduce((sum, value) => sum + value, 0) / digits.test.size;
    expect(mean).toBeCloseTo(entryOf((await model.evaluate(digits.test)).terms, 'reconstruction'), 4);
  });
});

describe('problems', () => {
  const problemsOf = async (expressions: Readonly<Record<string, Node>>, examples = some(2)) =>
    left(await evaluateExpressions(model, expressions, examples));

  example('of an expression come with its name', async () => {
    const wrong: Node = { tag: 'binary', op: 'sub', left: h, right: x };
    expect(await problemsOf({ difference: wrong, code: h })).toMatchObject([
      { path: 'expressions.difference', expected: 'equal shapes' },
    ]);
    expect(await problemsOf({})).toMatchObject([{ path: 'expressions' }]);
  });

  example('data that are not the examples', async () => {
    const [p] = await problemsOf({ error: sqNorm(sub(data(3), h)) });
    expect(p).toMatchObject({ found: 'data of shape [3]' });
  });

  example('weights that the model does not have, or not in this shape', async () => {
    const other = network('other', pipe(input(3), dense(2)));
    expect(await problemsOf({ other: apply(other, h) })).toMatchObject([
      { path: 'model', found: 'no "other/0.dense/kernel"' },
      { path: 'model', found: 'no "other/0.dense/bias"' },
    ]);
    const namesake = network('decoder', pipe(input(3), dense(5)));
    expect(await problemsOf({ decoded: apply(namesake, h) })).toMatchObject([
      { path: 'expressions.decoded.network' },
    ]);
  });

  example('examples of another size', async () => {
    const torn = { shape: [8, 8, 1], examples: new Float32Array(65) };
    expect(await problemsOf({ code: h }, torn)).toMatchObject([{ path: 'examples', found: '65 numbers' }]);
  });
});
