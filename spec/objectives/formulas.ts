/** Objectives of small networks on random weights, compared with formulas that are written with plain loops from the weights on. */
import { elementAt, entryOf, float64At } from '../../dsl/lookup.js';
import fc from 'fast-check';
import { pipe } from 'fp-ts/lib/function.js';
import { expect } from 'vitest';
import { compile } from '../../compiler/compile.js';
import { type Objective, experiment } from '../../dsl/experiment.js';
import { dense, input, tanh } from '../../dsl/layers/layer.js';
import { network, type NetworkValue } from '../../dsl/network.js';
import { sgd } from '../../dsl/optimizer.js';
import { right } from '../shared/either.js';
import { arrayOf } from '../shared/expressions.js';
import { feed } from '../shared/feeding.js';
import { meanOf, type Perceptron, perceptron, type Vector } from '../shared/perceptron.js';
import { type Arrays, interpret } from '../shared/outputs.js';

const batch = 2;
export const runs = { numRuns: 40 };

export const nets = (D: number, d: number, width: number) => ({
  encoder: network('encoder', pipe(input(D), dense(width), tanh, dense(d))),
  decoder: network('decoder', pipe(input(d), dense(width), tanh, dense(D))),
});
export type Nets = ReturnType<typeof nets>;

/** One example as the formulas see it. */
export type Site = {
  readonly x: Vector;
  readonly step: number;
  readonly d: number;
  readonly arrays: Arrays;
  readonly decoder: Perceptron;
  /** The probes of a draw for this example. */
  readonly probes: (name: string, size: number) => readonly Vector[];
};

type Formula = (site: Site) => Readonly<Record<string, number>>;

const chunks = (values: ArrayLike<number>, size: number): readonly Vector[] =>
  Array.from({ length: values.length / size }, (_, i) =>
    Array.from({ length: size }, (_v, k) => elementAt(values, i * size + k)),
  );

/** The means of the terms as the interpreter has them against those of the formula. */
export const compare = (
  sizes: Sizes,
  encoder: NetworkValue,
  decoder: NetworkValue,
  objective: Objective,
  formula: Formula,
  seed: number,
): void => {
  const spec = experiment({
    encoder,
    decoder,
    objective,
    optimizer: sgd({ rate: 0.1 }),
    batch,
    steps: 100,
    data: 'none',
  });
  const { step, draws } = right(compile(spec));
  const arrays = feed(step, draws, seed);
  const found = interpret(step, arrays);
  const examples = chunks(arrayOf(arrays, 'data'), sizes.D).map((x, b) =>
    formula({
      x,
      arrays,
      d: sizes.d,
      step: arrays.get('step')?.[0] ?? NaN,
      decoder: perceptron(arrays, 'decoder/0.dense', 'decoder/2.dense'),
      probes: (name, size) => {
        const all = chunks(arrayOf(arrays, name), size);
        return all.slice((b * all.length) / batch, ((b + 1) * all.length) / batch);
      },
    }),
  );
  expect(Object.keys(elementAt(examples, 0)).sort()).toEqual(Object.keys(objective).sort());
  for (const name of Object.keys(objective)) {
    const expected = meanOf(examples.map((terms) => entryOf(terms, name)));
    const error = Math.abs(float64At(arrayOf(found, name), 0) - expected);
    expect(error, name).toBeLessThan(1e-9 * Math.max(1, Math.abs(expected)));
  }
};

export type Sizes = { readonly D: number; readonly d: number; readonly width: number };
export const sizes: fc.Arbitrary<Sizes> = fc.record({
  D: fc.integer({ min: 1, max: 5 }),
  d: fc.integer({ min: 1, max: 3 }),
  width: fc.integer({ min: 1, max: 4 }),
});
/** Of decoders that may be injective. */
export const injectiveSizes = sizes.filter(({ d, D }) => d <= D);

export const seed = fc.nat(1e6);

export const plainEncoder = ({ arrays }: Site): Perceptron =>
  perceptron(arrays, 'encoder/0.dense', 'encoder/2.dense');
