/** A Gaussian on a plane in space, which a linear map would do. */
import { densityExperiment, parts } from './flows.js';

export const linear = {
  ...parts({ d: 2, D: 3, width: 32, couplings: 2 }),
  data: 'linear?codimension=1',
  steps: 2000,
  beta: 200,
  rate: 3e-3,
};

export default densityExperiment(linear);
