/** The reconstruction error, ‖x − g(h(x))‖² averaged over examples. */
import type { Metric } from './metric.js';

/** Summed over the dimensions of an example, as objectives have it. */
export const reconstructionError: Metric = {
  name: 'reconstruction',
  paired: true,
  of: ({ samples, reference, count }) =>
    samples.reduce((sum, x, at) => sum + (x - reference[at]) ** 2, 0) / count,
};
