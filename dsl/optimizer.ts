/** The optimizers that have names: each a short chain. */
import type { ScalarLike } from './expressions/expression.js';
import { mistake, namesOf, unknownOptions } from './mistake.js';
import {
  chain,
  clipBlock,
  clipNorm,
  momentum,
  only,
  type Optimizer,
  scaleByAdam,
  scaleByBlock,
  scaleByFactoredRms,
  scaleByLion,
  scaleByRate,
  scaleByRms,
  scaleByRss,
  type Update,
  weightDecay,
} from './update.js';

export type { Optimizer } from './update.js';

/** What every optimizer takes. */
type Common = {
  /** The learning rate, a number or a schedule. */
  readonly rate: ScalarLike;
  /** Gradients are scaled so that their joint norm is at most this; without it they are not clipped. */
  readonly clipNorm?: number;
};
const common = { rate: true, clipNorm: true } as const;

/** θ − rate·(weight·θ) beside the gradient's step. */
type Decay = {
  /** A number or a schedule. */
  readonly weightDecay?: ScalarLike;
  /** The weights that decay, as `only` has them; all of them unless given. */
  readonly decayed?: string;
};
const decay = { weightDecay: true, decayed: true } as const;

/** Names that the rate has elsewhere, so that the mistake is told as one. */
type Elsewhere = {
  readonly [K in 'lr' | 'learningRate' | 'learning_rate']?: 'did you mean rate?';
};

/** A chain by name, whose last step is the rate. */
const named =
  <O extends Common>(name: string, known: readonly string[], steps: (options: O) => readonly Update[]) =>
  (options: O & Elsewhere): Optimizer => {
    // Types are not there for every caller.
    if (typeof options !== 'object' || options === null)
      return {
        ...chain(scaleByRate(0)),
        ...mistake(
          name,
          JSON.stringify(options) ?? 'no options',
          `an object with rate and perhaps ${known.filter((one) => one !== 'rate').join(', ')}`,
        ),
      };
    return {
      ...chain(
        ...(options.clipNorm === undefined ? [] : [clipNorm(options.clipNorm)]),
        ...steps(options),
        scaleByRate(options.rate),
      ),
      ...unknownOptions(name, options, known),
    };
  };

const decaying = (weight: ScalarLike, { decayed }: Decay): Update =>
  decayed === undefined ? weightDecay(weight) : only(decayed, weightDecay(weight));

export type SgdOptions = Common & { readonly momentum?: number; readonly nesterov?: boolean };
const sgdOptions = namesOf<SgdOptions>({ ...common, momentum: true, nesterov: true });

/** θ ← θ − rate·m, m ← momentum·m + g. */
export const sgd = named<SgdOptions>('sgd', sgdOptions, (options) => [
  momentum(options.momentum ?? 0, { nesterov: options.nesterov ?? false }),
]);

export type AdamOptions = Common & {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
};
const adamNames = { ...common, beta1: true, beta2: true, epsilon: true } as const;
const adamOptions = namesOf<AdamOptions>(adamNames);

/** Without what the direction does not take. */
const directionOf = ({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions, nesterov = false): Update =>
  scaleByAdam({ beta1, beta2, epsilon, nesterov });

/** Adam, Kingma and Ba 2014, algorithm 1: ε outside the bias-corrected root. */
export const adam = named<AdamOptions>('adam', adamOptions, (options) => [directionOf(options)]);

const adamWOptions = namesOf<AdamOptions & Decay>({ ...adamNames, ...decay });

/** Adam with decoupled weight decay, Loshchilov and Hutter 2019; 1e-4 unless given. */
export const adamW = named<AdamOptions & Decay>('adamW', adamWOptions, (options) => [
  directionOf(options),
  decaying(options.weightDecay ?? 1e-4, options),
]);

/** Adam with Nesterov's momentum, Dozat 2016. */
export const nadam = named<AdamOptions>('nadam', adamOptions, (options) => [directionOf(options, true)]);

export type LionOptions = Common & Decay & { readonly beta1?: number; readonly beta2?: number };
const lionOptions = namesOf<LionOptions>({ ...common, ...decay, beta1: true, beta2: true });

/** The sign of a momentum, Chen et al. 2023; weights decay by 1e-3 unless given. */
export const lion = named<LionOptions>('lion', lionOptions, (options) => [
  scaleByLion({ beta1: options.beta1 ?? 0.9, beta2: options.beta2 ?? 0.99 }),
  decaying(options.weightDecay ?? 1e-3, options),
]);

export type RmsPropOptions = Common & {
  readonly decay?: number;
  readonly epsilon?: number;
  readonly centered?: boolean;
  readonly momentum?: number;
};
const rmsPropOptions = namesOf<RmsPropOptions>({
  ...common,
  decay: true,
  epsilon: true,
  centered: true,
  momentum: true,
});

/** The gradient by a moving root mean square of itself, Tieleman and Hinton 2012; ε inside the root. */
export const rmsProp = named<RmsPropOptions>('rmsProp', rmsPropOptions, (options) => [
  scaleByRms({
    decay: options.decay ?? 0.9,
    epsilon: options.epsilon ?? 1e-8,
    centered: options.centered ?? false,
  }),
  ...(options.momentum === undefined ? [] : [momentum(options.momentum)]),
]);

export type AdagradOptions = Common & { readonly initial?: number; readonly epsilon?: number };
const adagradOptions = namesOf<AdagradOptions>({ ...common, initial: true, epsilon: true });

/** The gradient by the root of the sum of all its squares, Duchi, Hazan and Singer 2011. */
export const adagrad = named<AdagradOptions>('adagrad', adagradOptions, (options) => [
  scaleByRss({ initial: options.initial ?? 0.1, epsilon: options.epsilon ?? 1e-7 }),
]);

export type AdafactorOptions = Common & {
  readonly decay?: number;
  readonly epsilon?: number;
  readonly least?: number;
  /** The greatest root mean square of an array's step before the rate. Default 1. */
  readonly most?: number;
};
const adafactorOptions = namesOf<AdafactorOptions>({
  ...common,
  decay: true,
  epsilon: true,
  least: true,
  most: true,
});

/** Second moments by rows and columns, steps in proportion to the weights; Shazeer and Stern 2018. */
export const adafactor = named<AdafactorOptions>('adafactor', adafactorOptions, (options) => [
  scaleByFactoredRms({
    decay: options.decay ?? 0.8,
    epsilon: options.epsilon ?? 1e-30,
    least: options.least ?? 128,
  }),
  clipBlock(options.most ?? 1),
  scaleByBlock(),
]);
