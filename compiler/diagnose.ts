/** The program that says how well a step's estimates are estimated, for as many examples as cost no more than the step. */
import type { Experiment } from '../dsl/experiment.js';
import { costOf } from './costs/cost.js';
import type { Elaborated } from './elaborate/program.js';
import { elaborateDiagnosis } from './elaborate/estimates.js';
import { last, optimize } from './pipeline.js';

/** Examples at most: the angle is that of means over them, and settles with their number. */
const MOST = 16;

/** Undefined where a step of that many FLOPs estimates nothing. */
export const diagnosisFor = (experiment: Experiment, stepFlops: number): Elaborated | undefined => {
  const one = elaborateDiagnosis(experiment, 1);
  if (one === undefined) return undefined;
  const { flops } = costOf(last(optimize('elaborate', one.program)));
  const affordable = Math.floor(stepFlops / Math.max(1, flops));
  const batch = Math.max(1, Math.min(MOST, experiment.batch, affordable));
  return elaborateDiagnosis(experiment, batch);
};
