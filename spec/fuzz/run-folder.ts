/** The files of a small run, the same bytes each time, and what opens them as a model. */
import { isLeft, right } from 'fp-ts/lib/Either.js';
import { encodeSafetensors } from '../../backends/safetensors.js';
import { compile } from '../../compiler/index.js';
import { encodePreprocessing, plainPreprocessing } from '../../data/index.js';
import {
  adam,
  apply,
  data,
  dense,
  encodeExperiment,
  experiment,
  input,
  network,
  objective,
  pipe,
  sqNorm,
  sub,
  tanh,
} from '../../dsl/index.js';
import { defaultPolicy, encodeSettings, initialState, openRun, startBackend } from '../../runs/index.js';
import { recordLine } from '../../runs/records/record.js';
import { checkpointParts, initialLoop } from '../../runs/run/checkpoint.js';
import { encodeMetrics } from '../../runs/run/metrics.js';
import { fileNames } from '../../runs/run/run-folder.js';
import { right as rightOf } from '../shared/either.js';
import type { Opener } from './opener.js';

const encoder = network('encoder', pipe(input(3), dense(4), tanh, dense(2)));
const decoder = network('decoder', pipe(input(2), dense(4), tanh, dense(3)));
const x = data(3);
const reconstruction = sqNorm(sub(x, apply(decoder, apply(encoder, x))));
const small = experiment({
  ...{ encoder, decoder, objective: objective({ reconstruction }), data: 'x.csv' },
  ...{ optimizer: adam({ rate: 1e-3 }), batch: 4, steps: 2 },
});

const numbers = (count: number): Float32Array => Float32Array.from({ length: count }, (_, i) => i / 7);

/** Of two steps. */
export const weights = (): Buffer => {
  const state = { ...initialState(rightOf(compile(small)), 3), step: 2 };
  return Buffer.concat(checkpointParts({ state, loop: { ...initialLoop, seconds: 1, ended: true } }));
};

const scaling = { mean: [0, 1, 2], deviation: [1, 2, 0.5] };

const record = [
  ...[0, 1].map((step) =>
    recordLine({
      ...{ tag: 'step', step, loss: 2 - step, terms: { reconstruction: 2 - step }, gradientNorm: 1 },
      ...{ rate: 1e-3, committed: true, seconds: step },
    }),
  ),
  recordLine({ tag: 'validation', step: 2, loss: NaN, terms: { reconstruction: NaN } }),
  recordLine({ tag: 'notice', step: 2, notice: 'returned', text: 'went back' }),
].join('\n');

/** Every file that a run leaves, by its name in the folder. */
export const runFiles = (): readonly { readonly name: string; readonly bytes: Buffer }[] => {
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const settings = encodeSettings({
    ...{ name: 'small', seed: 3, heldOut: undefined, backend: 'wasm', device: 'cpu', policy: defaultPolicy },
    ...{ asked: 'auto', ran: [{ step: 0, backend: 'wasm' }] },
    data: {
      reference: 'x.csv',
      root: '/',
      fingerprint: 'f',
      sizes: { train: 8, validation: 0, test: 2 },
      fitted: false,
    },
    ...{ started: '2026-01-01T00:00:00.000Z', finished: undefined, versions: { immersion: '0.1.0' } },
  });
  const kept = encodeSafetensors(
    new Map([
      ['codes', { shape: [4, 2], data: numbers(8) }],
      ['examples', { shape: [2, 3], data: numbers(6) }],
    ]),
  );
  const files: Readonly<Record<string, Uint8Array>> = {
    [fileNames.spec]: json(rightOf(encodeExperiment(small))),
    [fileNames.settings]: json(settings),
    [fileNames.metrics]: json(rightOf(encodeMetrics(small, { reconstruction }))),
    [fileNames.preprocessing]: json(encodePreprocessing({ ...plainPreprocessing([3]), scaling })),
    [fileNames.record]: Buffer.from(`${record}\n`),
    [fileNames.weights]: weights(),
    [fileNames.examples]: kept,
    'checkpoints/00000002.safetensors': weights(),
  };
  return Object.entries(files).map(([name, bytes]) => ({ name, bytes: Buffer.from(bytes) }));
};

const backend = startBackend('wasm');

/** Opens a run's folder as whoever uses its model does: what comes out encodes and decodes, and tells of its training. */
export const openRunFolder: Opener['open'] = async (folder) => {
  const model = await openRun(folder, { backend: rightOf(await backend) });
  if (isLeft(model)) return model;
  const { encode, decode, events, kept, dispose } = model.right;
  const codes = await encode(numbers(6));
  if (codes.length !== 4) throw new Error(`${codes.length} numbers as two codes`);
  const decoded = await decode(codes);
  if (decoded.length !== 6) throw new Error(`${decoded.length} numbers as two examples`);
  await events();
  for (const { shape, data: values } of Object.values(kept))
    if (shape.reduce((product, one) => product * one, 1) !== values.length)
      throw new Error('kept examples of another size');
  dispose();
  return right(undefined);
};
