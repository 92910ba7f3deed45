/**
 * Priors that are trained: networks of the language between N(0, I) and codes, fitted by the language's own training step. The codes are first what their Gaussian
 * makes of them, by two layers that begin as its mean and factor; the rest begins as the identity, so training begins at the Gaussian and what
 * validation chooses is no worse. Kept, it is the folder of a run.
 */
import { isLeft, left, map } from 'fp-ts/lib/Either.js';
import type { Dataset } from '../../data/index.js';
import {
  actNorm,
  add,
  apply,
  dataOf,
  type Experiment,
  experiment,
  type Expr,
  invert,
  latent,
  logDet,
  luLinear,
  neg,
  network,
  type Objective,
  type Optimizer,
  pipe,
  problem,
  type Scalar,
} from '../../dsl/index.js';
import { fit, type Fitted, flowPrior, openRun, type Tensor } from '../../runs/index.js';
import { fitGaussian, type Gaussian } from './gaussian.js';
import type { FittedPrior, PriorKind } from './prior.js';

export type Vector = readonly [number];

/** A bijection between noise and whitened codes with its density, and how it is trained. */
export type Learnable = {
  readonly forward: (noise: Expr<Vector>) => Expr<Vector>;
  readonly backward: (white: Expr<Vector>) => Expr<Vector>;
  /** ln p of a whitened code, in nats. */
  readonly logDensity: (white: Expr<Vector>) => Expr<Scalar>;
  readonly objective: (white: Expr<Vector>) => Objective;
  readonly optimizer: Optimizer;
  readonly batch: number;
  readonly steps: number;
};

const UNITS = 'units';

/** Of codes of d numbers. */
const specificationOf = (of: Learnable, d: number, batch: number): Experiment => {
  const units = network(UNITS, pipe(latent<Vector>(d), actNorm, luLinear));
  const decoder = network('decoder', { noise: [d] }, ({ noise }) => apply(units, of.forward(noise)));
  const encoder = network('encoder', { code: [d] }, ({ code }) => of.backward(apply(invert(units), code)));
  const code = dataOf(encoder);
  const white = apply(invert(units), code);
  return experiment({
    encoder,
    decoder,
    objective: of.objective(white),
    logDensity: add(of.logDensity(white), logDet(invert(units), code)),
    optimizer: of.optimizer,
    batch,
    steps: of.steps,
    data: 'codes',
    validation: { every: Math.ceil(of.steps / VALIDATIONS) },
  });
};

const VALIDATIONS = 15;

/** What bounds the logarithm of a scale of `actNorm`. */
const BOUND = 10;

/** The two layers as the Gaussian m + Lε: a scale for each number, then L with the scales taken out of its columns. */
const initialUnits = ({ size: d, mean, factor }: Gaussian): ReadonlyMap<string, Tensor> => {
  const raw = (i: number): number =>
    BOUND * Math.atanh(Math.max(-0.99, Math.min(0.99, Math.log(factor.get(i, i)) / BOUND)));
  const transform = Float32Array.from({ length: 2 * d }, (_, at) => (at % 2 === 0 ? raw(at >> 1) : 0));
  // Codes are rows, so L is transposed: its diagonal is 1 here.
  const upper = Float32Array.from({ length: d * d }, (_, at) => {
    const [i, j] = [Math.floor(at / d), at % d];
    return i < j ? factor.get(j, i) / factor.get(i, i) : 0;
  });
  return new Map([
    [`${UNITS}/0.elementwise/transform`, { shape: [d, 2], data: transform }],
    [`${UNITS}/1.luLinear/upper`, { shape: [d, d], data: upper }],
    [`${UNITS}/1.luLinear/bias`, { shape: [d], data: Float32Array.from(mean) }],
  ]);
};

const priorOf = (model: Fitted, figures: FittedPrior['fit']): FittedPrior => ({
  ...flowPrior(model),
  fit: figures,
  dispose: model.dispose,
});

/** Codes that a batch and a validation part can be made of, at least. */
const FEWEST = 20;

/** A prior that `of` makes for codes of d numbers. */
export const learnedPrior = (label: string, of: (d: number) => Learnable): PriorKind => ({
  label: () => label,
  isTrained: true,
  fit: async (codes, { d, seed, backend, folder }) => {
    const gaussian = fitGaussian(codes, d);
    if (isLeft(gaussian)) return gaussian;
    const size = codes.length / d;
    if (size < FEWEST)
      return left([problem('codes', `${size} of them`, `at least ${FEWEST} to train ${label} on`)]);
    const learnable = of(d);
    const batch = Math.min(learnable.batch, Math.floor(size / 2));
    const spec = specificationOf(learnable, d, batch);
    const { logDensity } = spec;
    const train: Dataset = { name: 'codes', shape: [d], size, examples: codes };
    let steps = 0;
    const fitted = await fit(spec, {
      data: { train, test: { ...train, size: 0, examples: new Float32Array() } },
      backend,
      seed,
      initial: initialUnits(gaussian.right),
      metrics: logDensity === undefined ? {} : { nll: neg(logDensity) },
      policy: {
        criterion: { by: 'nll', better: 'less' },
        restoreBest: true,
        stopping: { by: 'nll', better: 'less', patience: 5, least: 0 },
      },
      onEvent: (event) => {
        if (event.tag === 'step') steps = event.step + 1;
      },
      ...(folder === undefined ? {} : { out: folder }),
    });
    return map((model: Fitted) => priorOf(model, { steps }))(fitted);
  },
  open: async (folder, { backend }) => {
    const run = await openRun(folder, { backend });
    return map((model: Fitted) => priorOf(model, {}))(run);
  },
});
