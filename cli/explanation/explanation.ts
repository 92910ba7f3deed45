/** What `immersion explain` says, as data: networks layer by layer, Jacobian products, and the cost of a training step. */
import { atLeast } from '../../dsl/lookup.js';
import * as E from 'fp-ts/lib/Either.js';
import { type Compiled, compile, type Cost, costOf } from '../../compiler/index.js';
import {
  apply,
  data,
  describeOptimizer,
  hypersOf,
  type Experiment,
  formula,
  type Network,
  networksOf,
  objectiveFormula,
  outputNames,
  type Problem,
  sizeOf,
  sqNorm,
  sub,
} from '../../dsl/index.js';
import { type NetworkPart, networkPart } from './explanation-network.js';
import { jacobianParts, type ProductPart, type SystemPart, type VolumePart } from './explanation-jacobian.js';

export type StepPart = {
  readonly batch: number;
  readonly equations: number;
  readonly flops: number;
  readonly bytes: number;
  readonly peak: number;
  readonly parameters: Cost['parameters'];
  /** Its FLOPs over those of the plain autoencoder on the same networks; absent where that has no meaning. */
  readonly timesAutoencoder?: number;
};

/** How it is trained, and with which hyper-parameters: what `--set` changes. */
export type TrainingPart = {
  readonly hypers: Readonly<Record<string, number>>;
  readonly optimizer: string;
  readonly rate: string;
  readonly steps: number;
  readonly data: string;
  readonly validateEvery: number;
};

export type Explanation = {
  readonly networks: readonly NetworkPart[];
  readonly objective: string;
  /** ln p of an example as a formula, where the experiment has it, and whether it is a density on a manifold. */
  readonly density: { readonly formula: string; readonly isOnManifold: boolean } | null;
  readonly training: TrainingPart;
  readonly jacobians: readonly ProductPart[];
  readonly volumes: readonly VolumePart[];
  readonly systems: readonly SystemPart[];
  readonly step: StepPart;
};

/** FLOPs of a step of the plain autoencoder on these networks, if they form one. */
const autoencoderFlops = (experiment: Experiment): number | undefined => {
  const { encoder, decoder } = experiment;
  if ([encoder, decoder].some((net) => outputNames(net)[0] !== '')) return undefined;
  const [inward, outward]: readonly Network[] = atLeast(2, [encoder, decoder]);
  const x = data(...encoder.input);
  const objective = { reconstruction: sqNorm(sub(x, apply(outward, apply(inward, x)))) };
  const compiled = compile({ ...experiment, objective });
  return E.isLeft(compiled) ? undefined : costOf(compiled.right.step).flops;
};

const stepPart = (experiment: Experiment, { step }: Compiled): StepPart => {
  const { flops, bytes, peak, parameters } = costOf(step);
  const plain = autoencoderFlops(experiment);
  const figures = { batch: step.batch, equations: step.equations.length, flops, bytes, peak, parameters };
  return plain === undefined || plain === 0 ? figures : { ...figures, timesAutoencoder: flops / plain };
};

const trainingPart = (experiment: Experiment): TrainingPart => {
  const { optimizer, steps, data: reference, validation } = experiment;
  return {
    hypers: Object.fromEntries(hypersOf(experiment)),
    optimizer: describeOptimizer(optimizer),
    rate: formula(optimizer.rate),
    steps,
    data: reference,
    validateEvery: validation.every,
  };
};

const densityPart = ({ logDensity, encoder, decoder }: Experiment): Explanation['density'] =>
  logDensity === undefined
    ? null
    : {
        formula: objectiveFormula({ 'ln p(x)': logDensity }),
        isOnManifold: sizeOf(decoder.input) < sizeOf(encoder.input),
      };

/** Explains a compiled experiment. */
export const explanationOf = (compiled: Compiled): E.Either<readonly Problem[], Explanation> => {
  const { experiment } = compiled;
  const named = networksOf(experiment);
  if (E.isLeft(named)) return named;
  const parts = [...named.right.values()].map(networkPart);
  const problems = parts.flatMap((part) => (E.isLeft(part) ? part.left : []));
  if (problems.length > 0) return E.left(problems);
  const networks = parts.flatMap((part) => (E.isRight(part) ? [part.right] : []));
  return E.right({
    networks,
    objective: objectiveFormula(experiment.objective),
    density: densityPart(experiment),
    training: trainingPart(experiment),
    ...jacobianParts(experiment, networks),
    step: stepPart(experiment, compiled),
  });
};
