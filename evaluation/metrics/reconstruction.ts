/** The reconstruction error, ‖x − g(h(x))‖² averaged over examples. */
import { float32At } from '../../dsl/lookup.js';
import type { Metric } from './metric.js';

/** Summed over the dimensions of an example, as objectives have it. */
export const reconstructionError: Metric = {
  name: 'reconstruction',
  paired: true,
  of: ({ samples, reference, count }) =>
    samples.reduce((sum, x, at) => sum + (x - float32At(reference, at)) ** 2, 0) / count,
};
