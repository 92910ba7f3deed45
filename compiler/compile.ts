/** From an experiment to its programs, through every pass, verified between each two. */
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { checkExperiment } from '../dsl/codec/index.js';
import type { Experiment } from '../dsl/experiment.js';
import { type Problem, problem } from '../dsl/problem.js';
import { sameShape, showShape } from '../dsl/shape.js';
import type { DrawSpec, ParameterSpec, StateSpec } from './elaborate/context.js';
import {
  elaborateDecoder,
  type Elaborated,
  elaborateEncoder,
  elaborateEvaluation,
  elaborateStep,
} from './elaborate/program.js';
import { eliminateCommonSubexpressions } from './passes/cse.js';
import { eliminateDeadCode } from './passes/dce.js';
import { simplify } from './passes/simplify.js';
import type { Program } from './program.js';
import { update } from './update.js';
import { verify } from './verify.js';

/** A program after one pass, under the pass's name. */
export type Stage = { readonly pass: string; readonly program: Program };

export type Compiled = {
  readonly experiment: Experiment;
  readonly step: Program;
  /** Terms of each example of a batch, in inference mode. */
  readonly evaluate: Program;
  readonly encode: Program;
  readonly decode: Program;
  readonly parameters: readonly ParameterSpec[];
  readonly states: readonly StateSpec[];
  readonly draws: readonly DrawSpec[];
  /** The step program after each pass, first to last. */
  readonly stages: readonly Stage[];
};

const passes: readonly (readonly [string, (program: Program) => Program])[] = [
  ['simplify', simplify],
  ['cse', eliminateCommonSubexpressions],
  // Equal operands are only seen to be equal after the pass before.
  ['simplify again', simplify],
  ['cse again', eliminateCommonSubexpressions],
  ['dce', eliminateDeadCode],
];

/** The program after each pass, itself first. */
export const optimize = (pass: string, program: Program): readonly Stage[] =>
  passes.reduce<readonly Stage[]>(
    (stages, [name, run]) => [...stages, { pass: name, program: run(stages[stages.length - 1].program) }],
    [{ pass, program }],
  );

const last = (stages: readonly Stage[]): Program => stages[stages.length - 1].program;

const verified = (stages: readonly Stage[]): readonly Problem[] =>
  stages.flatMap(({ pass, program }) =>
    verify(program).map((p) =>
      problem(`${pass}: ${p.path}`, p.found, p.expected, 'a fault of the compiler, please report it'),
    ),
  );

/** Networks that do not fit each other, wrong shapes, wrong terms: all of them, with paths. */
const semanticProblems = (elaborated: readonly Elaborated[]): readonly Problem[] => {
  const all = elaborated.flatMap(({ context }) => context.problems);
  const seen = new Set<string>();
  return all.filter((p) => {
    const key = JSON.stringify(p);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
};

/** A code that is not the decoder's input, or a decoder whose output is not what the encoder takes. */
const misfits = ({ encoder, decoder }: Experiment, encode: Program, decode: Program): readonly Problem[] => {
  const shapeOf = ({ outputs: [output] }: Program) => output?.var.type.shape;
  const [code, reconstruction] = [shapeOf(encode), shapeOf(decode)];
  return [
    ...(code === undefined || sameShape(code, decoder.input)
      ? []
      : [
          problem('decoder.input', showShape(decoder.input), `${showShape(code)}, the output of the encoder`),
        ]),
    ...(reconstruction === undefined || sameShape(reconstruction, encoder.input)
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

/** Compiles an experiment; on the left every problem that was found. */
export const compile = (spec: Experiment): Either<readonly Problem[], Compiled> => {
  const checked = checkExperiment(spec);
  if (isLeft(checked)) return checked;
  const experiment = checked.right;
  const objective = elaborateStep(experiment);
  const evaluation = elaborateEvaluation(experiment);
  const encoder = elaborateEncoder(experiment);
  const decoder = elaborateDecoder(experiment);
  const problems = [
    ...semanticProblems([objective, evaluation, encoder, decoder]),
    ...misfits(experiment, encoder.program, decoder.program),
  ];
  if (problems.length > 0) return left(problems);
  const { program, moments } = update(objective.program, experiment.optimizer);
  const stages = [{ pass: 'elaborate', program: objective.program }, ...optimize('differentiate', program)];
  const others = [evaluation, encoder, decoder].map((e) => optimize('elaborate', e.program));
  const faults = [stages, ...others].flatMap(verified);
  if (faults.length > 0) return left(faults);
  const contexts = [objective, evaluation, encoder, decoder].map(({ context }) => context);
  return right({
    experiment,
    step: last(stages),
    evaluate: last(others[0]),
    encode: last(others[1]),
    decode: last(others[2]),
    parameters: [...new Map(contexts.flatMap((c) => [...c.parameters])).values()],
    states: [...new Map(contexts.flatMap((c) => [...c.states])).values(), ...moments],
    draws: [...new Map(contexts.flatMap((c) => [...c.draws])).values()],
    stages,
  });
};
