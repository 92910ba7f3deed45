/** The von Mises density on a circle: a line bent round, with a seam where the density is least. */
import { densityExperiment, parts } from './flows.js';

export const circle = {
  ...parts({ d: 1, D: 2, width: 64, couplings: 4 }),
  data: 'circle',
  steps: 4000,
  beta: 200,
  rate: 1e-3,
};

export default densityExperiment(circle);
