/** What laws are quantified over: arbitraries of shapes, networks, flows, autoencoders, expressions, experiments, examples and weights, all of which shrink. */
import fc from 'fast-check';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { Experiment } from '../dsl/experiment.js';
import type { Expr } from '../dsl/expressions/expression.js';
import type { NetworkValue, Node } from '../dsl/grammar.js';
import { argumentsOf, type Flow, type Network, outputNames } from '../dsl/network.js';
import { type Shape, sizeOf } from '../dsl/shape.js';
import { experimentsOf } from './arbitrary/experiment.js';
import { expressionsOver } from './arbitrary/expression.js';
import { bijectiveFlow, injectiveFlow } from './arbitrary/flow.js';
import { everything, type Kit, networkBetween } from './arbitrary/network.js';
import { fromTape } from './arbitrary/tape.js';
import { calculationOf } from './meaning.js';
import type { Inputs } from './world.js';

/** Shapes of one to so many axes, each of one to so many elements. */
export const shapes = ({
  axes = 3,
  size = 4,
}: { readonly axes?: number; readonly size?: number } = {}): fc.Arbitrary<Shape> =>
  fc.array(fc.integer({ min: 1, max: size }), { minLength: 1, maxLength: axes });

export type NetworkOptions = {
  /** Layers at most between the two shapes. Default 4. */
  readonly layers?: number;
  /** Only activations that have a derivative everywhere. Default false. */
  readonly smooth?: boolean;
  /** Spectral normalisation too, whose gradient leaves out that the singular vectors move with the kernel. Default false. */
  readonly spectral?: boolean;
};

const smooth: Kit['activations'] = ['tanh', 'elu', 'softplus', 'sigmoid', 'silu', 'gelu'];

const kitOf = (options: NetworkOptions): Kit => ({
  ...everything,
  spectral: options.spectral === true,
  ...(options.smooth === true ? { activations: smooth } : {}),
});

/** A choice on a tape is a number of this or less. */
const CHOICES = 80;

/** Networks from one shape to another: every layer and activation, residual blocks, normalisation, layers defined by expressions. */
export const networks = <const I extends Shape, const O extends Shape>(
  name: string,
  from: I,
  to: O,
  options: NetworkOptions = {},
): fc.Arbitrary<Network<I, O>> =>
  fromTape((tape) => networkBetween(tape, kitOf(options), name, from, to, options.layers ?? 4), CHOICES);

/** Flows that have an inverse on both sides, of every layer that has one. */
export const flows = (
  options: { readonly layers?: number } = {},
): fc.Arbitrary<Flow<Shape, Shape, 'generative', 'bijective'>> =>
  fromTape((tape) => bijectiveFlow(tape, options.layers ?? 4), CHOICES);

/** Flows into a larger space, which have a left inverse. */
export const injectiveFlows = (): fc.Arbitrary<
  Flow<readonly [number], readonly [number], 'generative', 'injective'>
> => fromTape(injectiveFlow, CHOICES);

export type Autoencoder = {
  readonly encoder: Network<Shape, readonly [number]>;
  readonly decoder: Network<readonly [number], Shape>;
  /** The shape of an example. */
  readonly data: Shape;
  /** How many numbers a code has: at most as many as an example. */
  readonly codes: number;
};

/** An encoder and a decoder that fit each other, of vectors and small images. */
export const autoencoders = (options: NetworkOptions = {}): fc.Arbitrary<Autoencoder> =>
  fromTape((tape) => {
    const data = tape.pick<Shape>([[1], [2], [3], [5], [2, 2, 1], [2, 3, 2]]);
    const codes = 1 + tape.below(Math.min(3, sizeOf(data)));
    const [kit, layers] = [kitOf(options), options.layers ?? 3];
    return {
      encoder: networkBetween(tape, kit, 'encoder', data, [codes], layers),
      decoder: networkBetween(tape, kit, 'decoder', [codes], data, layers),
      data,
      codes,
    };
  }, 2 * CHOICES);

/** Expressions of a shape over an encoder and a decoder: every kind that there is, derivatives of the networks included. */
export const expressions = <const S extends Shape>(
  { encoder, decoder, data, codes }: Autoencoder,
  shape: S,
): fc.Arbitrary<Expr<S>> =>
  fromTape((tape) => {
    const over = expressionsOver(tape, { encoder, decoder, data, code: [codes] }, everything);
    const node: Node = shape.length === 0 ? over.scalar(4) : over.array(shape, 4);
    return node;
  }, CHOICES);

/** Experiments that compile: objectives of several terms, networks, an optimizer and a batch. */
export const experiments = (options: NetworkOptions = {}): fc.Arbitrary<Experiment> =>
  experimentsOf(kitOf(options));

/** So many examples of a shape, row-major, between −1 and 1. */
export const examples = (shape: Shape, count: number): fc.Arbitrary<Float64Array> =>
  numbers(sizeOf(shape) * count, 1);

const numbers = (count: number, most: number): fc.Arbitrary<Float64Array> =>
  fc
    .array(fc.integer({ min: -64, max: 64 }), { minLength: count, maxLength: count })
    .map((values) => Float64Array.from(values, (value) => (most * value) / 64));

/** Weights of a network by their names, between −1.5 and 1.5; a network that is ill-formed has none. */
export const weights = (network: NetworkValue): fc.Arbitrary<Inputs> => {
  const [first, ...rest] = Object.entries(argumentsOf(network));
  const fieldOf = ([name, shape]: readonly [string, Shape]) =>
    [name, { tag: 'field', name, shape, type: 'float' }] as const;
  const applied = {
    tag: 'apply' as const,
    network,
    at: { tag: 'data' as const, shape: first?.[1] ?? network.input },
    ...(rest.length === 0 ? {} : { given: Object.fromEntries(rest.map(fieldOf)) }),
    output: outputNames(network)[0] ?? '',
  };
  const calculation = calculationOf({ applied }, 'evaluation', 1);
  if (isLeft(calculation)) return fc.constant({});
  return fc.record(
    Object.fromEntries(
      calculation.right.parameters.map(({ name, shape }) => [name, numbers(sizeOf(shape), 1.5)]),
    ),
  );
};
