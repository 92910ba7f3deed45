/** Two von Mises angles on a torus: a plane wrapped around it both ways, with seams where the density is least. */
import { densityExperiment, parts } from './flows.js';

export const torus = {
  ...parts({ d: 2, D: 3, width: 32, couplings: 6, order: 4 }),
  data: 'torus?kappa=2',
  steps: 3000,
  beta: 200,
  rate: 3e-3,
};

export default densityExperiment(torus);
