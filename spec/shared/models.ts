/** Models with weights of the test's choice, without any training. */
import { entryOf } from '../../dsl/lookup.js';
import { compile } from '../../compiler/index.js';
import { adam, type Experiment, experiment, type NetworkValue, objective, sqNorm } from '../../dsl/index.js';
import { createSession, type Fitted, initialState, type Model, type TrainState } from '../../runs/index.js';
import { fittedOf } from '../../runs/model/fitted.js';
import { backends } from './backends.js';
import { right } from './either.js';

export type Weights = Readonly<Record<string, ArrayLike<number>>>;

export const experimentOf = (encoder: NetworkValue, decoder: NetworkValue): Experiment =>
  experiment({
    encoder,
    decoder,
    objective: objective({
      code: sqNorm({ tag: 'apply', network: encoder, at: { tag: 'data', shape: encoder.input }, output: '' }),
    }),
    optimizer: adam({ rate: 1e-3 }),
    batch: 8,
    steps: 1,
    data: 'digits',
  });

/** Initial weights from the seed, some of them replaced. */
export const modelOf = async (
  encoder: NetworkValue,
  decoder: NetworkValue,
  {
    weights = {},
    seed = 0,
    backend = backends.wasm,
  }: { readonly weights?: Weights; readonly seed?: number; readonly backend?: Model['backend'] } = {},
): Promise<Fitted> => {
  const compiled = right(compile(experimentOf(encoder, decoder)));
  const initial = initialState(compiled, seed);
  const unknown = Object.keys(weights).filter((name) => !initial.arrays.has(name));
  if (unknown.length > 0) throw new Error(`no weights ${unknown.join(', ')}`);
  const arrays = new Map(
    [...initial.arrays].map(([name, { shape, data }]) => [
      name,
      { shape, data: name in weights ? Float32Array.from(entryOf(weights, name)) : data },
    ]),
  );
  const state: TrainState = { ...initial, arrays };
  const session = await createSession(compiled, backend, state);
  return fittedOf(compiled, session, undefined);
};
