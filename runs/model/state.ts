/** The state of training as one immutable record: parameters, moments and running statistics by path, and the step. */
import type { Tensor } from '../../backends/safetensors.js';
import type { Compiled } from '../../compiler/index.js';
import { sizeOf } from '../../dsl/index.js';
import { initialise } from '../../backends/initializers.js';

export type { Tensor } from '../../backends/safetensors.js';

export type TrainState = {
  readonly seed: number;
  /** Steps taken. */
  readonly step: number;
  readonly arrays: ReadonlyMap<string, Tensor>;
};

/** The state before the first step: each parameter a function of (seed, path) alone, so that another layer changes none of the rest. */
export const initialState = (compiled: Compiled, seed: number): TrainState => {
  const begun = [
    ...compiled.parameters.map((parameter) => ({ name: parameter.name, of: parameter })),
    ...compiled.states.map(({ copies, ...state }) => ({
      name: state.name,
      of: copies ?? { ...state, fanIn: 1, fanOut: 1 },
    })),
  ];
  const arrays = begun.map(({ name, of: { name: key, shape, initializer, fanIn, fanOut } }) => {
    const data = new Float32Array(sizeOf(shape));
    initialise(initializer, { shape, fanIn, fanOut }, { seed, name: key }, data);
    return [name, { shape, data }] as const;
  });
  return { seed, step: 0, arrays: new Map(arrays) };
};

/** Whether a model can go on from a state: one array with an infinity or a NaN in it makes everything after it so. */
export const isFiniteState = ({ arrays }: TrainState): boolean =>
  [...arrays.values()].every(({ data }) => {
    // Nothing times an infinity or a NaN is a NaN: one pass without a call, since every checkpoint waits for it.
    let nothing = 0;
    for (let i = 0; i < data.length; i++) nothing += (data[i] ?? NaN) * 0;
    return nothing === 0;
  });
