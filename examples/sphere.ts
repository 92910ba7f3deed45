/** A mixture of three von Mises–Fisher densities on a sphere: a plane wrapped around it. */
import { densityExperiment, parts } from './flows.js';

export const sphere = {
  ...parts({ d: 2, D: 3, width: 32, couplings: 6 }),
  data: 'sphere',
  steps: 3000,
  beta: 200,
  rate: 3e-3,
};

export default densityExperiment(sphere);
