/** Two von Mises angles on a torus: a plane wrapped around it both ways, with seams where the density is least. */
import { densityExperiment, rectangularFlow } from './flows.js';

export const sizes = { d: 2, D: 3, width: 32, couplings: 6, order: 4 } as const;
export const training = { data: 'torus?kappa=2', steps: 3000, beta: 200, rate: 3e-3 };

export default densityExperiment(rectangularFlow(sizes), training);
