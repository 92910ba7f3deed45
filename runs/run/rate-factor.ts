/** A factor of the learning rate that a run can lower while it trains: a running value that nothing in the program changes. */
import { type Experiment, running, scale } from '../../dsl/index.js';
import type { TrainState } from '../model/state.js';

const NAME = 'rate factor';

/** The experiment with the factor in its rate. With a factor of 1 it trains to the same bits. */
export const withRateFactor = (experiment: Experiment): Experiment => ({
  ...experiment,
  optimizer: {
    ...experiment.optimizer,
    rate: scale(
      running(NAME, 1, (factor) => factor),
      experiment.optimizer.rate,
    ),
  },
});

/** The factor of a state; 1 for a run that never lowers its rate. */
export const factorOf = ({ arrays }: TrainState): number => arrays.get(NAME)?.data[0] ?? 1;

/** The state with another factor. */
export const setFactor = (state: TrainState, factor: number): TrainState => ({
  ...state,
  arrays: new Map(state.arrays).set(NAME, { shape: [], data: Float32Array.of(factor) }),
});
