/** The networks of a table: the user's own, the paper's where the examples have its shape, or a small perceptron. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import {
  dense,
  elu,
  type Experiment,
  flatten,
  compose,
  input,
  network,
  outputNames,
  pipe,
  type Problem,
  problem,
  reshape,
  sameShape,
  type Shape,
  showShape,
  sigmoid,
  sizeOf,
} from '../../dsl/index.js';
import { isPicture } from '../../evaluation/picture.js';
import { loadSpec, type Spec } from '../../runs/index.js';

type Networks = Pick<Experiment, 'encoder' | 'decoder'> & { readonly from: string };

type Checked<A> = Either<readonly Problem[], A>;

/** Examples with the networks of the paper's appendix A, by the shape of their data. */
const paperExamples: Readonly<Record<string, string>> = {
  '28,28,1': 'mnist',
  '32,32,3': 'cifar10',
  '64,64,3': 'celeba',
};

/** The source in a checkout, its compiled form in an installed package. */
const exampleFile = (name: string): string | undefined =>
  ['ts', 'js']
    .map((extension) => fileURLToPath(new URL(`../../examples/${name}.${extension}`, import.meta.url)))
    .find((path) => existsSync(path));

const WIDTH = 128;

const hidden = compose(dense(WIDTH), elu, dense(WIDTH), elu);

/** Two hidden layers on each side; pictures end in a sigmoid. */
const perceptrons = (shape: Shape, d: number): Networks => ({
  encoder: network('encoder', pipe(input(...shape), flatten, hidden, dense(d))),
  decoder: isPicture(shape)
    ? network('decoder', pipe(input(d), hidden, dense(sizeOf(shape)), sigmoid, reshape(...shape)))
    : network('decoder', pipe(input(d), hidden, dense(sizeOf(shape)), reshape(...shape))),
  from: `perceptrons with two hidden layers of ${WIDTH}, ELU, ${sizeOf(shape)} → ${d} → ${sizeOf(shape)}`,
});

/** An eighth of the data's dimension, from 1 to 32. */
const latentSize = (shape: Shape): number => Math.min(32, Math.max(1, Math.round(sizeOf(shape) / 8)));

/** The networks of a specification, of which nothing else is used. */
const networksIn = (spec: Checked<Spec>, shape: Shape): Checked<Networks> => {
  if (isLeft(spec)) return spec;
  const { name, experiment } = spec.right;
  const { encoder, decoder } = experiment;
  if (!sameShape(encoder.input, shape)) {
    const expected = `${showShape(shape)}, the shape of the examples`;
    return left([problem(`${name}: encoder.input`, showShape(encoder.input), expected)]);
  }
  return outputNames(encoder)[0] === ''
    ? right({ encoder, decoder, from: name })
    : left([problem(`${name}: encoder`, 'heads', 'a plain encoder', 'the table adds the heads of the VAEs')]);
};

/** `spec` is a specification as it was loaded, `latent` the size of the code where there is none; `dimension` that of the data's manifold, if known. */
export const tableNetworks = async (
  shape: Shape,
  options: Readonly<Record<'latent' | 'dimension', number | undefined>> & {
    readonly spec: Checked<Spec> | undefined;
  },
): Promise<Checked<Networks>> => {
  const name = paperExamples[shape.join()];
  const example = name === undefined || options.latent !== undefined ? undefined : exampleFile(name);
  const spec = options.spec ?? (example === undefined ? undefined : await loadSpec(example));
  return spec === undefined
    ? right(perceptrons(shape, options.latent ?? options.dimension ?? latentSize(shape)))
    : networksIn(spec, shape);
};
