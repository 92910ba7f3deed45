/** A normal density on a sine curve in the plane. */
import { densityExperiment, rectangularFlow } from './flows.js';

export const sizes = { d: 1, D: 2, width: 64, couplings: 4 } as const;
export const training = { data: 'sine', steps: 3000, beta: 200, rate: 3e-3 };

export default densityExperiment(rectangularFlow(sizes), training);
