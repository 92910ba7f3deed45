/**
 * A rectangular flow on a table. For one of your own say how many columns it has, D, and run
 * `immersion train examples/table.ts --data my.csv?standardize`.
 */
import { densityExperiment, parts } from './flows.js';

/** Dimensions of the manifold, and columns of the table. */
const [d, D] = [2, 6] as const;

export default densityExperiment({
  ...parts({ d, D, width: 64, couplings: 4 }),
  data: 'linear',
  steps: 3000,
  beta: 50,
  rate: 2e-3,
});
