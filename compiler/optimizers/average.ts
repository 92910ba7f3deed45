/** Evaluation by averaged weights: whatever reads a weight reads its average. */
import type { Optimizer } from '../../dsl/update.js';
import type { Program } from '../ir/program.js';
import { isTrained } from './where.js';

/** The path under which an optimizer keeps the average of a weight. */
export const averageName = (parameter: string): string => `average/${parameter}`;

/** The program with the averages of trained weights in place of these, where the optimizer keeps any. */
export const byAverages = (program: Program, optimizer: Optimizer): Program => {
  if (optimizer.average === undefined) return program;
  const isMeant = isTrained(optimizer);
  return {
    ...program,
    binders: program.binders.map((binder) =>
      binder.kind === 'parameter' && isMeant(binder.name)
        ? { ...binder, kind: 'state', name: averageName(binder.name) }
        : binder,
    ),
  };
};
