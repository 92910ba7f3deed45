/** From an experiment to its programs, through every pass, verified between each two. */
import { atLeast, elementAt } from '../dsl/lookup.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { checkExperiment } from '../dsl/codec/index.js';
import { dataShapeOf } from '../dsl/data-shape.js';
import type { Experiment } from '../dsl/experiment.js';
import { everyNode, nodesOf } from '../dsl/expressions/rewrite.js';
import { type Problem, problem } from '../dsl/problem.js';
import { sameShape, showShape, sizeOf } from '../dsl/shape.js';
import { costOf } from './costs/cost.js';
import { diagnosisFor } from './diagnose.js';
import { bijectionProblems } from './elaborate/bijection.js';
import type { DrawSpec, ParameterSpec, StateSpec } from './elaborate/context.js';
import {
  type Elaborated,
  elaborateDecoder,
  elaborateDensity,
  elaborateEncoder,
  elaborateEvaluation,
  elaborateStep,
} from './elaborate/program.js';
import { faults, last, optimize, semanticProblems, type Stage } from './pipeline.js';
import type { Program } from './ir/program.js';
import { byAverages } from './optimizers/average.js';
import { update } from './optimizers/optimizer.js';
import { whereProblems } from './optimizers/where.js';

export type Compiled = {
  readonly experiment: Experiment;
  readonly step: Program;
  /** Terms of each example of a batch, in inference mode. */
  readonly evaluate: Program;
  readonly encode: Program;
  readonly decode: Program;
  /** Where the experiment has a density: `logDensity` and `distance` of each example, in inference mode. */
  readonly density: Program | undefined;
  /** Where a step solves systems with JᵀJ: how well, and how near the surrogate's gradient is to the exact one. */
  readonly diagnose: Program | undefined;
  readonly parameters: readonly ParameterSpec[];
  readonly states: readonly StateSpec[];
  readonly draws: readonly DrawSpec[];
  /** The step program after each pass, first to last. */
  readonly stages: readonly Stage[];
};

/**
 * A code that is not the decoder's input, or a decoder whose output is not what the encoder takes. Where the encoder does not
 * take the whole of the data there is nothing to reconstruct, and the decoder's output is its own affair.
 */
const misfits = (experiment: Experiment, encode: Program, decode: Program): readonly Problem[] => {
  const { encoder, decoder } = experiment;
  const reconstructs = sameShape(dataShapeOf(experiment), encoder.input);
  const shapeOf = ({ outputs: [output] }: Program) => output?.var.type.shape;
  const [code, reconstruction] = [shapeOf(encode), shapeOf(decode)];
  return [
    ...(code === undefined || sameShape(code, decoder.input)
      ? []
      : [
          problem('decoder.input', showShape(decoder.input), `${showShape(code)}, the output of the encoder`),
        ]),
    ...(!reconstructs || reconstruction === undefined || sameShape(reconstruction, encoder.input)
      ? []
      : [
          problem(
            'decoder',
            `an output of shape ${showShape(reconstruction)}`,
            `${showShape(encoder.input)}, the input of the encoder`,
          ),
        ]),
  ];
};

/**
 * A density, or a volume, of a decoder with more codes than an example has numbers. ½ ln det JᵀJ is −∞ there, and what `volume` takes of such
 * a network, ½ ln det JJᵀ, is no volume of codes: a likelihood made of it is none.
 */
const overcomplete = (experiment: Experiment, decode: Program): readonly Problem[] => {
  const { name, input } = experiment.decoder;
  const [d, D] = [sizeOf(input), sizeOf(elementAt(decode.outputs, 0).var.type.shape)];
  const hasVolume = everyNode(nodesOf(experiment)).some(
    ({ node }) => node.tag === 'volume' && node.network.name === name,
  );
  return !(hasVolume || experiment.logDensity !== undefined) || d <= D
    ? []
    : [
        problem(
          'decoder.input',
          `${d} codes for ${D} numbers of an example, and ${hasVolume ? "a term with the decoder's volume" : 'a density'}`,
          `at most ${D} codes`,
          'a map to fewer dimensions is not injective, and has no density by its Jacobian',
        ),
      ];
};

/** A density that is not one number for each example. */
const densityProblems = (density: Program | undefined): readonly Problem[] =>
  (density?.outputs ?? [])
    .filter(({ var: { type } }) => type.shape.length > 0)
    .map(({ name, var: { type } }) => problem(name, showShape(type.shape), 'a scalar, ln p of one example'));

/** Compiles an experiment; on the left every problem that was found. */
export const compile = (spec: Experiment): Either<readonly Problem[], Compiled> => {
  const checked = checkExperiment(spec);
  if (isLeft(checked)) return checked;
  const experiment = checked.right;
  const objective = elaborateStep(experiment);
  const evaluation = elaborateEvaluation(experiment);
  const encoder = elaborateEncoder(experiment);
  const decoder = elaborateDecoder(experiment);
  const density = elaborateDensity(experiment);
  const all = [objective, evaluation, encoder, decoder, ...(density === undefined ? [] : [density])];
  const problems = [
    ...semanticProblems(all),
    ...densityProblems(density?.program),
    ...misfits(experiment, encoder.program, decoder.program),
  ];
  if (problems.length > 0) return left(problems);
  const untrue = bijectionProblems(all.flatMap(({ context }) => [...context.networks.values()]));
  if (untrue.length > 0) return left(untrue);
  const many = overcomplete(experiment, decoder.program);
  if (many.length > 0) return left(many);
  const contexts = all.map(({ context }) => context);
  const parameters = new Map(contexts.flatMap((c) => [...c.parameters]));
  const nowhere = whereProblems(experiment.optimizer, [...parameters.keys()]);
  if (nowhere.length > 0) return left(nowhere);
  const { program, moments } = update(objective.program, experiment.optimizer, parameters, objective.numbers);
  const stages = [{ pass: 'elaborate', program: objective.program }, ...optimize('differentiate', program)];
  const diagnosis = diagnosisFor(experiment, costOf(last(stages)).flops);
  const optimized = ({ program: whole }: Elaborated): readonly Stage[] =>
    optimize('elaborate', byAverages(whole, experiment.optimizer));
  const [evaluate, encode, decode] = atLeast(3, [evaluation, encoder, decoder].map(optimized));
  const measure = density && optimized(density);
  const others = [evaluate, encode, decode, measure, diagnosis].flatMap((of) =>
    of === undefined ? [] : [of],
  );
  const wrong = [stages, ...others].flatMap(faults);
  if (wrong.length > 0) return left(wrong);
  return right({
    experiment,
    step: last(stages),
    evaluate: last(evaluate),
    encode: last(encode),
    decode: last(decode),
    density: measure && last(measure),
    diagnose: diagnosis && last(diagnosis),
    parameters: [...parameters.values()],
    states: [...new Map(contexts.flatMap((c) => [...c.states])).values(), ...moments],
    draws: [...new Map(contexts.flatMap((c) => [...c.draws])).values()],
    stages,
  });
};
