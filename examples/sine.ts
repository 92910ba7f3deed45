/** A normal density on a sine curve in the plane. */
import { densityExperiment, parts } from './flows.js';

export const sine = {
  ...parts({ d: 1, D: 2, width: 64, couplings: 4 }),
  data: 'sine',
  steps: 3000,
  beta: 200,
  rate: 3e-3,
};

export default densityExperiment(sine);
