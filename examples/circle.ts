/** The von Mises density on a circle: a line bent round, with a seam where the density is least. */
import { densityExperiment, rectangularFlow } from './flows.js';

export const sizes = { d: 1, D: 2, width: 64, couplings: 4 } as const;
export const training = { data: 'circle', steps: 4000, beta: 200, rate: 1e-3 };

export default densityExperiment(rectangularFlow(sizes), training);
