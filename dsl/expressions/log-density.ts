/** What may be reported as a likelihood: an exact function of the example and the weights. */
import type { Experiment } from '../experiment.js';
import { showPath } from '../path.js';
import type { Problem } from '../problem.js';
import { problem } from '../problem.js';
import { everyNode } from './rewrite.js';

/** Draws in a density: a random estimate, such as a surrogate of a volume, is trained on but is no likelihood. */
export const densityProblems = ({ logDensity }: Experiment): readonly Problem[] =>
  logDensity === undefined
    ? []
    : everyNode([{ path: ['logDensity'], node: logDensity }]).flatMap(({ path, node }) =>
        node.tag === 'draw'
          ? [
              problem(
                showPath(path),
                `the draw ${JSON.stringify(node.name)}`,
                'an exact density: no draw',
                'a stochastic surrogate can be trained on, not reported as a likelihood',
              ),
            ]
          : [],
      );
