/** From an elaborated program to one that can be lowered: the passes, in order, and what can be wrong on the way. */
import { elementAt } from '../dsl/lookup.js';
import { type Problem, problem } from '../dsl/problem.js';
import type { Elaborated } from './elaborate/program.js';
import { eliminateCommonSubexpressions } from './passes/cse.js';
import { eliminateDeadCode } from './passes/dce.js';
import { simplify } from './passes/simplify.js';
import type { Program } from './ir/program.js';
import { verify } from './ir/verify.js';

/** A program after one pass, under the pass's name. */
export type Stage = { readonly pass: string; readonly program: Program };

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
    (stages, [name, run]) => [
      ...stages,
      { pass: name, program: run(elementAt(stages, stages.length - 1).program) },
    ],
    [{ pass, program }],
  );

/** The program after the last pass. */
export const last = (stages: readonly Stage[]): Program => elementAt(stages, stages.length - 1).program;

/** Ill-formed programs between two passes. */
export const faults = (stages: readonly Stage[]): readonly Problem[] =>
  stages.flatMap(({ pass, program }) =>
    verify(program).map((p) =>
      problem(`${pass}: ${p.path}`, p.found, p.expected, 'a fault of the compiler, please report it'),
    ),
  );

/** Networks that do not fit each other, wrong shapes, wrong terms: all of them, with paths. */
export const semanticProblems = (elaborated: readonly Elaborated[]): readonly Problem[] => {
  const all = elaborated.flatMap(({ context }) => context.problems);
  const seen = new Set<string>();
  return all.filter((p) => {
    const key = JSON.stringify(p);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
};
