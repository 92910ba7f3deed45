/**
 * Rectangular flows on manifolds whose densities are known, trained exactly, by the stochastic surrogate and in two steps: test NLL beside
 * the least that is possible, and the distance from the manifold. A seed draws the data and the weights.
 */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { loadData, logDensity } from '../../data/index.js';
import {
  type Experiment,
  experiment,
  invert,
  latent,
  min,
  mul,
  network,
  type Problem,
  problem,
  schedule,
  step,
  sub,
} from '../../dsl/index.js';
import { densityFit } from '../../evaluation/index.js';
import { circle } from '../../examples/circle.js';
import { densityExperiment, type FlowExample, training } from '../../examples/flows.js';
import { linear } from '../../examples/linear.js';
import { sine } from '../../examples/sine.js';
import { sphere } from '../../examples/sphere.js';
import { torus } from '../../examples/torus.js';
import { logDensityOf, rectangularDensity, twoStep } from '../../objectives/index.js';
import { type Backend, fit } from '../../runs/index.js';

type Checked<A> = Either<readonly Problem[], A>;

/** Steps. */
const WARM_UP = 200;

/** The manifold for as many steps as the others have, then for as many again the flow of its codes: the same two parts as two networks. */
const twoSteps = <const d extends number, const D extends number>(example: FlowExample<d, D>): Experiment => {
  const base = network('base', example.codes);
  const decoder = network('decoder', example.onto(latent(example.d)));
  const encoder = invert(decoder);
  const logPrior = logDensityOf(base);
  const { beta, rate, steps } = example;
  const fall = schedule.linear(rate, 0, steps);
  // What Adam remembers of the manifold's gradients would still move it, so that the rate rises anew as that fades.
  const rise = min(mul(1 / WARM_UP, sub(step, steps)), 1);
  const again = mul(rise, sub(2 * rate, mul(rate / steps, step)));
  return experiment({
    encoder,
    decoder,
    objective: twoStep(encoder, decoder, { ...example.likelihood, beta, logPrior, period: steps }),
    logDensity: rectangularDensity(encoder, decoder, { logPrior }),
    ...training(example, schedule.piecewise(fall, { from: steps, value: again })),
    steps: 2 * steps,
  });
};

const methodsOf = <const d extends number, const D extends number>(example: FlowExample<d, D>) => ({
  exact: () => densityExperiment(example, 'exact'),
  stochastic: () => densityExperiment(example, 'stochastic'),
  'two-step': () => twoSteps(example),
});

/** By the name of the manifold, by the name of the method, the experiment. */
export const oracles: ReadonlyMap<string, ReadonlyMap<string, () => Experiment>> = new Map(
  Object.entries({
    circle: methodsOf(circle),
    sine: methodsOf(sine),
    linear: methodsOf(linear),
    sphere: methodsOf(sphere),
    torus: methodsOf(torus),
  }).map(([name, methods]) => [name, new Map(Object.entries(methods))]),
);

/** One training of an oracle. */
export type OracleJob = { readonly oracle: string; readonly method: string; readonly seed: number };

/** What it came to, in nats and in the data's units. */
export type OracleFigures = {
  readonly nll: number;
  /** The least NLL there is: the entropy on the true manifold. */
  readonly optimal: number;
  /** NLL of the true density at the same examples. */
  readonly truth: number;
  readonly distance: number;
  readonly seconds: number;
};

export const TEST_EXAMPLES = 10_000;

const withSettings = (data: string, seed: number): string =>
  `${data}${data.includes('?') ? '&' : '?'}test=${TEST_EXAMPLES}&seed=${seed}`;

/** Trains and measures; `validation` is off. */
export const trainOracle = async (
  { oracle, method, seed }: OracleJob,
  backend: Backend,
): Promise<Checked<OracleFigures>> => {
  const spec = oracles.get(oracle)?.get(method)?.();
  if (spec === undefined)
    return left([problem('oracle', `${method} of ${oracle}`, `some of ${[...oracles.keys()].join(', ')}`)]);
  const data = await loadData(withSettings(spec.data, seed))();
  if (isLeft(data)) return data;
  const start = performance.now();
  const fitted = await fit({ ...spec, validation: { every: 0 } }, { data: data.right, backend, seed });
  if (isLeft(fitted)) return fitted;
  const seconds = (performance.now() - start) / 1000;
  const found = await densityFit(fitted.right, data.right.test, data.right.manifold);
  fitted.right.dispose();
  const { manifold, test } = data.right;
  if (found === undefined || found.optimal === null || manifold === undefined || test.latents === undefined)
    return left([problem(oracle, 'data without a known density', 'a manifold with its density')]);
  const { latents, size } = test;
  const d = manifold.dimension;
  const truth =
    Array.from(
      { length: size },
      (_, row) => -logDensity(manifold, latents.subarray(row * d, (row + 1) * d)),
    ).reduce((sum, one) => sum + one, 0) / size;
  const { nll, optimal, distance } = found;
  return right({ nll, optimal, truth, distance, seconds });
};
