/**
 * Optimizers by composition: what becomes of a gradient on its way to a step, one small transformation after another, in the manner of optax
 * (DeepMind 2020). The step is θ ← θ − rate·u, u what the chain leaves of the gradient.
 */
import type { Expr, ScalarLike } from './expressions/expression.js';
import { constant } from './expressions/expression.js';
import type { Node } from './grammar.js';
import type { Path } from './path.js';
import type { Scalar } from './shape.js';

/** A transformation of the gradients u of all weights, given the weights and moments of its own. */
export type Update =
  /** All u by one factor, so that their joint norm is at most this. */
  | { readonly tag: 'clipNorm'; readonly norm: number }
  /** Each number of u between −value and value. */
  | { readonly tag: 'clipValue'; readonly value: number }
  /** m ← momentum·m + u, and u becomes m; with Nesterov u + momentum·m. */
  | { readonly tag: 'momentum'; readonly momentum: number; readonly nesterov: boolean }
  /** Adam's direction, Kingma and Ba 2014; ε outside the bias-corrected root. With Nesterov NAdam's, Dozat 2016. */
  | {
      readonly tag: 'scaleByAdam';
      readonly beta1: number;
      readonly beta2: number;
      readonly epsilon: number;
      readonly nesterov: boolean;
    }
  /** u/√(v + ε), v a moving average of u²; where it is centred less the square of one of u. Tieleman and Hinton 2012, Graves 2013. */
  | {
      readonly tag: 'scaleByRms';
      readonly decay: number;
      readonly epsilon: number;
      readonly centered: boolean;
    }
  /** u/√(Σu² + ε) over all steps, from an initial sum; Duchi, Hazan and Singer 2011. */
  | { readonly tag: 'scaleByRss'; readonly initial: number; readonly epsilon: number }
  /** The sign of a mixture of u and its moving average, Chen et al. 2023. */
  | { readonly tag: 'scaleByLion'; readonly beta1: number; readonly beta2: number }
  /**
   * u by the root of a moving average of u² that is kept by rows and columns, Shazeer and Stern 2018: of arrays whose second longest axis has
   * at least `least` numbers, of others whole. The average's decay at step t is 1 − t^−decay.
   */
  | {
      readonly tag: 'scaleByFactoredRms';
      readonly decay: number;
      readonly epsilon: number;
      readonly least: number;
    }
  /** Each array of u by a factor, so that its root mean square is at most this. */
  | { readonly tag: 'clipBlock'; readonly most: number }
  /** Each array of u times the root mean square of its weights, or `least` where that is more. */
  | { readonly tag: 'scaleByBlock'; readonly least: number }
  /** u + weight·θ: decoupled weight decay where it follows what scales the gradient, Loshchilov and Hutter 2019. */
  | { readonly tag: 'weightDecay'; readonly weight: Expr<Scalar> }
  /** u times a schedule. */
  | { readonly tag: 'scaleUpdate'; readonly by: Expr<Scalar> }
  /** A chain for the weights of a path alone; the others pass by. */
  | { readonly tag: 'only'; readonly where: string; readonly chain: readonly Update[] }
  /** The weights of a path stay as they are: they have no gradient, and no part in its norm. */
  | { readonly tag: 'freeze'; readonly where: string };

/** Every k steps the weights go back to a share of the way that they came; Zhang, Lucas, Hinton and Ba 2019. */
export type Lookahead = { readonly period: number; readonly share: number };

export type Optimizer = {
  /** The learning rate: a schedule. */
  readonly rate: Expr<Scalar>;
  /** What becomes of the gradients, in order, before the rate. */
  readonly chain: readonly Update[];
  /** The weights change every so many steps, by the mean of the gradients of all of them; absent for every step. */
  readonly accumulate?: number;
  readonly lookahead?: Lookahead;
  /** Evaluation is by average ← average·share + θ·(1 − share), after each change; absent for the weights themselves. */
  readonly average?: number;
};

const scalar = (value: ScalarLike): Expr<Scalar> => (typeof value === 'number' ? constant(value) : value);

/** What ends a chain: the learning rate. */
type Rate = { readonly tag: 'rate'; readonly rate: Expr<Scalar> };

/** The learning rate, a number or a schedule: the end of a chain. */
export const scaleByRate = (rate: ScalarLike): Rate => ({ tag: 'rate', rate: scalar(rate) });

const isUpdate = (step: Update | Rate): step is Update => step.tag !== 'rate';

/**
 * An optimizer out of steps in their order, the rate last: `chain(clipNorm(1), scaleByAdam(), weightDecay(0.01), scaleByRate(1e-3))` is
 * AdamW with clipping.
 */
export const chain = (...steps: readonly [...(readonly Update[]), Rate]): Optimizer => ({
  rate: steps.reduce<Expr<Scalar>>((rate, step) => (step.tag === 'rate' ? step.rate : rate), constant(1)),
  chain: steps.filter(isUpdate),
});

/** All gradients by one factor, so that their joint norm is at most this. */
export const clipNorm = (norm: number): Update => ({ tag: 'clipNorm', norm });

/** Each number of the gradients between −value and value. */
export const clipValue = (value: number): Update => ({ tag: 'clipValue', value });

/** m ← momentum·m + u; Polyak 1964, or Nesterov 1983 with a look ahead. */
export const momentum = (of: number, options: { readonly nesterov?: boolean } = {}): Update => ({
  tag: 'momentum',
  momentum: of,
  nesterov: options.nesterov ?? false,
});

/** Adam's direction, Kingma and Ba 2014; with `nesterov` NAdam's. */
export const scaleByAdam = (
  options: {
    readonly beta1?: number;
    readonly beta2?: number;
    readonly epsilon?: number;
    readonly nesterov?: boolean;
  } = {},
): Update => ({
  tag: 'scaleByAdam',
  beta1: options.beta1 ?? 0.9,
  beta2: options.beta2 ?? 0.999,
  epsilon: options.epsilon ?? 1e-8,
  nesterov: options.nesterov ?? false,
});

/** u/√(moving average of u² + ε); Tieleman and Hinton 2012. */
export const scaleByRms = (
  options: { readonly decay?: number; readonly epsilon?: number; readonly centered?: boolean } = {},
): Update => ({
  tag: 'scaleByRms',
  decay: options.decay ?? 0.9,
  epsilon: options.epsilon ?? 1e-8,
  centered: options.centered ?? false,
});

/** u/√(sum of u² + ε); Duchi, Hazan and Singer 2011. */
export const scaleByRss = (
  options: { readonly initial?: number; readonly epsilon?: number } = {},
): Update => ({
  tag: 'scaleByRss',
  initial: options.initial ?? 0.1,
  epsilon: options.epsilon ?? 1e-7,
});

/** The sign of (1 − β₁)·u + β₁·m, m ← β₂·m + (1 − β₂)·u; Chen et al. 2023. */
export const scaleByLion = (options: { readonly beta1?: number; readonly beta2?: number } = {}): Update => ({
  tag: 'scaleByLion',
  beta1: options.beta1 ?? 0.9,
  beta2: options.beta2 ?? 0.99,
});

/** u by second moments kept by rows and columns; Shazeer and Stern 2018. */
export const scaleByFactoredRms = (
  options: { readonly decay?: number; readonly epsilon?: number; readonly least?: number } = {},
): Update => ({
  tag: 'scaleByFactoredRms',
  decay: options.decay ?? 0.8,
  epsilon: options.epsilon ?? 1e-30,
  least: options.least ?? 128,
});

/** Each array's root mean square at most this. */
export const clipBlock = (most: number): Update => ({ tag: 'clipBlock', most });

/** Each array times the root mean square of its weights, at least `least`. */
export const scaleByBlock = (least = 1e-3): Update => ({ tag: 'scaleByBlock', least });

/** u + weight·θ; a number or a schedule. */
export const weightDecay = (weight: ScalarLike): Update => ({ tag: 'weightDecay', weight: scalar(weight) });

/** u times a number or a schedule: a rate of their own for some weights, inside `only`. */
export const scaleUpdate = (by: ScalarLike): Update => ({ tag: 'scaleUpdate', by: scalar(by) });

/**
 * A chain for some weights alone, the others pass by: those of a network or a layer (`decoder`, `decoder/0.dense`), or of a pattern in which `*`
 * stands for one part of the path and `**` for any number of them: every kernel is at `**` + `/kernel`.
 */
export const only = (where: string, ...steps: readonly Update[]): Update => ({
  tag: 'only',
  where,
  chain: steps,
});

/** The weights of a network, layer or pattern stay as they are. */
export const freeze = (where: string): Update => ({ tag: 'freeze', where });

/** The weights change every k steps, by the mean of the k gradients. Schedules go on with every step. */
export const accumulate = (k: number, optimizer: Optimizer): Optimizer => ({ ...optimizer, accumulate: k });

/** Every `period` steps the weights go back to a share of the way that they came since then; Zhang et al. 2019. */
export const lookahead = (
  optimizer: Optimizer,
  options: { readonly period?: number; readonly share?: number } = {},
): Optimizer => ({
  ...optimizer,
  lookahead: { period: options.period ?? 6, share: options.share ?? 0.5 },
});

/** Evaluation, samples and exports are by a moving average of the weights; Polyak and Juditsky 1992. */
export const averaged = (optimizer: Optimizer, options: { readonly decay?: number } = {}): Optimizer => ({
  ...optimizer,
  average: options.decay ?? 0.999,
});

type Located = { readonly path: Path; readonly node: Node };

/** The expressions in updates, with their paths. */
const within = (updates: readonly Update[]): readonly Located[] =>
  updates.flatMap((update, i): readonly Located[] => {
    switch (update.tag) {
      case 'weightDecay':
        return [{ path: [i, 'weight'], node: update.weight }];
      case 'scaleUpdate':
        return [{ path: [i, 'by'], node: update.by }];
      case 'only':
        return within(update.chain).map(({ path, node }) => ({ path: [i, 'chain', ...path], node }));
      default:
        return [];
    }
  });

/** The expressions of an optimizer, the rate first, with their paths in it. */
export const expressionsIn = ({ rate, chain: updates }: Optimizer): readonly Located[] => [
  { path: ['rate'], node: rate },
  ...within(updates).map(({ path, node }) => ({ path: ['chain', ...path], node })),
];

/** Every update of a chain, also those inside others. */
export const everyUpdate = (updates: readonly Update[]): readonly Update[] =>
  updates.flatMap((update) => [update, ...(update.tag === 'only' ? everyUpdate(update.chain) : [])]);

/** The updates with each replaced, from the inside out. */
export const mapUpdates = (updates: readonly Update[], f: (update: Update) => Update): readonly Update[] =>
  updates.map((update) =>
    f(update.tag === 'only' ? { ...update, chain: mapUpdates(update.chain, f) } : update),
  );

/** The optimizer with every expression in it rewritten. */
export const mapOptimizer = (optimizer: Optimizer, f: (node: Node) => Node): Optimizer => ({
  ...optimizer,
  rate: f(optimizer.rate),
  chain: mapUpdates(optimizer.chain, (update) =>
    update.tag === 'weightDecay'
      ? { ...update, weight: f(update.weight) }
      : update.tag === 'scaleUpdate'
        ? { ...update, by: f(update.by) }
        : update,
  ),
});

/** The norm that gradients are clipped to; undefined where they are not. */
export const clipNormOf = ({ chain: updates }: Optimizer): number | undefined =>
  updates.flatMap((update) => (update.tag === 'clipNorm' ? [update.norm] : []))[0];
