/**
 * A rectangular flow on a table, with noise around it whose size is learned. For one of your own say how many columns it has, D, and run
 * `immersion train examples/table.ts --data my.csv?standardize`.
 */
import { experiment, invert, network } from 'immersion/dsl';
import { noisyManifold, rectangularDensity } from 'immersion/objectives';
import { parts, training } from './flows.js';

/** Dimensions of the manifold, and columns of the table. */
const [d, D] = [2, 6] as const;

const flow = parts({ d, D, width: 64, couplings: 4 });
const decoder = network('decoder', flow.onto(flow.codes));
const encoder = invert(decoder);

export default experiment({
  encoder,
  decoder,
  objective: noisyManifold(encoder, decoder),
  logDensity: rectangularDensity(encoder, decoder),
  ...training({ data: 'linear', steps: 3000, rate: 2e-3 }),
});
