/** Cross-entropy against its formula, data that holds more than the encoder takes, and the classifier's features. */
import { elementAt } from '../../../dsl/lookup.js';
import { fc, test } from '@fast-check/vitest';
import { afterAll, beforeAll, describe, expect, test as example } from 'vitest';
import { compile } from '../../../compiler/index.js';
import { differentiate } from '../../../compiler/derivatives/differentiate.js';
import { type Dataset, integerField, loadData, type Split } from '../../../data/index.js';
import {
  adam,
  apply,
  crossEntropy,
  data,
  dataShapeOf,
  decodeExperiment,
  dense,
  encodeExperiment,
  type Experiment,
  experiment,
  type Expr,
  input,
  logSumExp,
  maxOver,
  network,
  objective,
  pipe,
  slice,
  sqNorm,
} from '../../../dsl/index.js';
import { classifier, type Classifier } from '../../../evaluation/index.js';
import { fit } from '../../../runs/index.js';
import { backends } from '../../shared/backends.js';
import { left, right } from '../../shared/either.js';
import { arrayOf, calculate, calculation, free } from '../../shared/expressions.js';
import { gradientName, interpret } from '../../shared/outputs.js';

const logits = fc.array(
  fc.oneof(fc.double({ min: -5, max: 5, noNaN: true }), fc.constantFrom(0, 1e4, -1e4, 88.8)),
  { minLength: 1, maxLength: 6 },
);

const vector = (name: string, k: number): Expr<readonly [number]> => free(name, k);

/** ln Σ exp by hand: the greatest taken out. */
const formula = (values: readonly number[]): number => {
  const most = Math.max(...values);
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
};

describe('the logarithm of a sum of exponentials', () => {
  test.prop([logits])('is its formula, finite far out and at ties', (values) => {
    const k = values.length;
    const given = new Map([['l', Float64Array.from(values)]]);
    const found = calculate(
      { all: logSumExp(vector('l', k), [0]), most: maxOver(vector('l', k), [0]) },
      { given },
    );
    expect(found('all')[0]).toBeCloseTo(formula(values), 9);
    expect(found('most')[0]).toBe(Math.max(...values));
  });

  test.prop([logits])('has the softmax as its gradient', (values) => {
    const k = values.length;
    const { program } = calculation({ loss: logSumExp(vector('l', k), [0]) });
    const arrays = interpret(differentiate(program), new Map([['l', Float64Array.from(values)]]));
    arrayOf(arrays, gradientName('l')).forEach((slope, i) => {
      expect(slope).toBeCloseTo(Math.exp(elementAt(values, i) - formula(values)), 9);
    });
  });

  test.prop([logits, fc.nat()])('gives the cross-entropy of a label, −ln softmax', (values, at) => {
    const k = values.length;
    const label = at % k;
    const given = new Map([
      ['l', Float64Array.from(values)],
      ['p', Float64Array.from(values, (_, i) => Number(i === label))],
    ]);
    const found = calculate({ h: crossEntropy(vector('l', k), vector('p', k)) }, { given });
    expect(found('h')[0]).toBeCloseTo(formula(values) - elementAt(values, label), 9);
  });
});

describe('data that holds more than the encoder takes', () => {
  const encoder = network('encoder', pipe(input(3), dense(2)));
  const head = network('head', pipe(input(2), dense(4)));
  const example7 = data(7);
  const spec = (changes: Partial<Experiment> = {}): Experiment => ({
    ...experiment({
      encoder,
      decoder: head,
      objective: objective({
        h: crossEntropy(apply(head, apply(encoder, slice(example7, [0], [3]))), slice(example7, [3], [4])),
      }),
      optimizer: adam({ rate: 0.1 }),
      batch: 2,
      steps: 3,
      data: 'labelled',
      validation: { every: 1 },
    }),
    ...changes,
  });

  const set = (width: number): Dataset => ({
    name: 'rows',
    shape: [width],
    size: 4,
    examples: Float32Array.from({ length: 4 * width }, (_, i) => Number(i % width === 3)),
  });

  example(
    'is what the objective reads; the encoder is applied to its own part, the head to the codes',
    async () => {
      expect(dataShapeOf(spec())).toEqual([7]);
      expect(dataShapeOf(spec({ objective: objective({ a: sqNorm(data(3)) }) }))).toEqual([3]);
      const fitted = right(
        await fit(spec(), { data: { train: set(7), test: set(7) }, backend: backends.wasm }),
      );
      expect(await fitted.encode(new Float32Array(6))).toHaveLength(4);
      expect(await fitted.reconstruct(new Float32Array(6))).toHaveLength(8);
      fitted.dispose();
    },
  );

  example('is named where a data set has another shape', async () => {
    const wrong = await fit(spec(), { data: { train: set(3), test: set(3) }, backend: backends.wasm });
    expect(left(wrong)[0]).toMatchObject({ path: 'data', expected: '[7], the data of the objective' });
  });

  example('goes through JSON', () => {
    expect(compile(right(decodeExperiment(right(encodeExperiment(spec())))))._tag).toBe('Right');
  });

  example('leaves an autoencoder its checks', () => {
    const ae = objective({ a: sqNorm(apply(head, apply(encoder, data(3)))) });
    expect(left(compile(spec({ objective: ae })))[0]).toMatchObject({
      path: 'decoder',
      expected: '[3], the input of the encoder',
    });
  });
});

describe('the classifier of the digits', () => {
  let digits: Split;
  let trained: Classifier;
  const train = async (seed: number, steps: number): Promise<Classifier> =>
    right(await classifier(digits.train, { backend: backends.wasm, samples: digits.test.size, seed, steps }));

  beforeAll(async () => {
    digits = right(await loadData('digits')());
    trained = await train(0, 500);
  });
  afterAll(() => trained.dispose());

  example('knows more than nine in ten that it has not seen', async () => {
    expect(trained.classes).toBe(10);
    expect(right(await trained.accuracy(digits.test))).toBeGreaterThan(0.9);
  });

  example(
    'has as many features as the test digits carry, of mean 0 and variance 1 over the training digits',
    async () => {
      const features = await trained.apply(digits.train.examples);
      expect(features.length).toBe(32 * digits.train.size);
      expect(trained.size).toBe(32);
      const mean = features.reduce((sum, x) => sum + x, 0) / features.length;
      const square = features.reduce((sum, x) => sum + x * x, 0) / features.length;
      expect(mean).toBeCloseTo(0, 4);
      expect(square).toBeCloseTo(1, 3);
    },
  );

  example('is the same for one seed, and another for another', async () => {
    const some = digits.test.examples.subarray(0, 640);
    const of = async (seed: number): Promise<Float32Array> => {
      const one = await train(seed, 5);
      const features = await one.apply(some);
      one.dispose();
      return features;
    };
    const first = await of(1);
    expect(await of(1)).toEqual(first);
    expect(await of(2)).not.toEqual(first);
  });

  example('sees images by convolutions', async () => {
    const size = 40;
    const labels = Uint8Array.from({ length: size }, (_, i) => i % 2);
    const examples = Float32Array.from({ length: size * 16 * 16 }, (_, i) =>
      labels[Math.floor(i / 256)] === Math.floor((i % 16) / 8) ? 1 : 0,
    );
    const halves: Dataset = {
      name: 'halves',
      shape: [16, 16, 1],
      size,
      examples,
      fields: { label: integerField(labels) },
    };
    const options = { backend: backends.wasm, samples: 36, steps: 40 };
    const one = right(await classifier(halves, options));
    expect(right(await one.accuracy(halves))).toBe(1);
    one.dispose();
  });

  example('needs labels of two classes, and examples of its shape', async () => {
    const { fields: _, ...unlabelled } = digits.train;
    const options = { backend: backends.wasm, samples: 299 };
    expect(left(await classifier(unlabelled, options))[0]).toMatchObject({
      path: 'classifier',
      found: `no labels in ${digits.train.name}`,
    });
    const one = { ...digits.train, fields: { label: integerField(new Uint8Array(digits.train.size)) } };
    expect(elementAt(left(await classifier(one, options)), 0).found).toContain('1 classes');
    const flat = { ...digits.test, shape: [64] };
    expect(elementAt(left(await trained.accuracy(flat)), 0).found).toBe('examples of shape [64]');
    expect(elementAt(left(await trained.accuracy({ ...unlabelled, size: 1 })), 0).found).toContain(
      'no labels',
    );
  });
});
