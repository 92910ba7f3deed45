/** What one example of an experiment's data is. */
import type { Experiment } from './experiment.js';
import { everyNode, nodesOf } from './expressions/rewrite.js';
import type { Shape } from './shape.js';

/**
 * The shape of the example that the objective reads, or the encoder's input where it reads none. They are one shape for
 * an autoencoder; a classifier's example is longer, by the label that its encoder does not see.
 */
export const dataShapeOf = (experiment: Experiment): Shape =>
  everyNode(nodesOf(experiment)).flatMap(({ node }) => (node.tag === 'data' ? [node.shape] : []))[0] ??
  experiment.encoder.input;
