/** The program that says how well a step's estimates are estimated, for as many examples as cost no more than the step. */
import type { Experiment } from '../dsl/experiment.js';
import { costOf } from './costs/cost.js';
import { elaborateDiagnosis } from './elaborate/estimates.js';
import { atBatch } from './ir/program.js';
import { last, optimize, type Stage } from './pipeline.js';

/** Examples at most: the angle is that of means over them, and settles with their number. */
const MOST = 16;

/** Undefined where a step of that many FLOPs estimates nothing. */
export const diagnosisFor = (experiment: Experiment, stepFlops: number): readonly Stage[] | undefined => {
  const elaborated = elaborateDiagnosis(experiment);
  if (elaborated === undefined) return undefined;
  const stages = optimize('elaborate', elaborated.program);
  const affordable = Math.floor(stepFlops / Math.max(1, costOf(last(stages)).flops));
  const batch = Math.max(1, Math.min(MOST, experiment.batch, affordable));
  return stages.map(({ pass, program }) => ({ pass, program: atBatch(program, batch) }));
};
