/** What one example of an experiment's data is, and what must be known of it beside itself. */
import type { Experiment } from './experiment.js';
import { everyNode, nodesOf } from './expressions/rewrite.js';
import { argumentsOf } from './network.js';
import { type Problem, problem } from './problem.js';
import { sameShape, type Shape, showShape } from './shape.js';

/**
 * The shape of the example that the objective reads, or the encoder's input where it reads none. They are one shape for
 * an autoencoder; a classifier's example is longer, by the label that its encoder does not see.
 */
export const dataShapeOf = (experiment: Experiment): Shape =>
  everyNode(nodesOf(experiment)).flatMap(({ node }) => (node.tag === 'data' ? [node.shape] : []))[0] ??
  experiment.encoder.input;

/** An objective that was given its networks the other way round: the decoder reads examples, which are of the shape of its codes then. */
export const turnedProblems = (experiment: Experiment): readonly Problem[] => {
  const { encoder, decoder } = experiment;
  const shape = dataShapeOf(experiment);
  if (sameShape(shape, encoder.input) || !sameShape(shape, decoder.input)) return [];
  const isApplied = everyNode(nodesOf(experiment)).some(
    ({ node }) => node.tag === 'apply' && node.network.name === decoder.name && node.at.tag === 'data',
  );
  return isApplied
    ? [
        problem(
          'objective',
          `data of shape ${showShape(shape)}, which network ${JSON.stringify(decoder.name)} is applied to`,
          `${showShape(encoder.input)}, the input of network ${JSON.stringify(encoder.name)}`,
          'the encoder comes first: (encoder, decoder)',
        ),
      ]
    : [];
};

/** The fields that an experiment reads, with their shapes: those in its expressions, and arguments of its encoder and decoder after the first. */
export const fieldsReadBy = (experiment: Experiment): ReadonlyMap<string, Shape> =>
  new Map([
    ...[experiment.encoder, experiment.decoder].flatMap((net) => Object.entries(argumentsOf(net)).slice(1)),
    ...everyNode(nodesOf(experiment)).flatMap(({ node }) =>
      node.tag === 'field' ? [[node.name, node.shape] as const] : [],
    ),
  ]);
