/** Every named objective is data, compiles, and trains on wasm and on native; a Gaussian encoder encodes by its mean. */
import { elementAt, entryOf } from '../../dsl/lookup.js';
import { describe, expect, test } from 'vitest';
import { elaborateEncoder } from '../../compiler/elaborate/program.js';
import { compile } from '../../compiler/index.js';
import {
  adam,
  type Experiment,
  encodeExperiment,
  experiment,
  decodeExperiment,
  pipe,
  input,
  network,
  batchNorm,
  conv,
  convTranspose,
  elu,
  flatten,
  dense,
  reshape,
  sigmoid,
} from '../../dsl/index.js';
import {
  aeSn,
  bound4,
  bound5,
  cae,
  injFlow,
  injFlowLn,
  type Model,
  paperModels,
  raeGp,
} from '../../objectives/index.js';
import type { Backend } from '../../backends/backend.js';
import { createSession, initialState } from '../../runs/index.js';
import { backends, hasNative, nativeBackend } from '../shared/backends.js';
import { right } from '../shared/either.js';
import { arrayOf } from '../shared/expressions.js';
import { feed } from '../shared/feeding.js';
import { interpret } from '../shared/outputs.js';

const encoder = network('encoder', pipe(input(4, 4, 1), flatten, dense(8), batchNorm(), elu, dense(3)));
const decoder = network(
  'decoder',
  pipe(input(3), dense(8), batchNorm(), elu, dense(16), sigmoid, reshape(4, 4, 1)),
);

const convolutional = network(
  'decoder',
  pipe(
    input(3),
    dense(8),
    reshape(2, 2, 2),
    convTranspose(2, { kernel: 3, stride: 2 }),
    elu,
    conv(1, { kernel: 3 }),
  ),
);

const plain = (objective: Model['objective']): Model => ({ encoder, decoder, objective });

const models: Readonly<Record<string, Model>> = {
  ...Object.fromEntries(Object.entries(paperModels).map(([name, model]) => [name, model(encoder, decoder)])),
  'AE+SN, the norm of the convolution': aeSn(encoder, convolutional, { norm: 'operator', iterations: 2 }),
  'CAE, reverse': plain(cae(encoder, decoder, { jacobian: 'reverse', probes: 2 })),
  'RAE-GP': plain(raeGp(encoder, decoder)),
  'bound (4)': plain(bound4(encoder, decoder, { probes: 2, probe: 'rademacher' })),
  'bound (5), exact': plain(bound5(encoder, decoder, { probes: 'exact' })),
  'bound (5), finite differences': plain(bound5(encoder, decoder, { probes: 2, jacobian: 0.01 })),
  'InjFlow, finite differences': plain(injFlow(encoder, decoder, { jacobian: 0.01 })),
  'InjFlow-ln, finite differences': plain(injFlowLn(encoder, decoder, { jacobian: 0.01 })),
};

const batch = 4;

const training = (model: Model): Experiment =>
  experiment({ ...model, optimizer: adam({ rate: 1e-3 }), batch, steps: 8, data: 'none' });

/** Numbers in [0, 1], as pixels are. */
const pixels = (count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => 0.5 + 0.5 * Math.sin(i * i + 1));

const losses = async (spec: Experiment, backend: Backend): Promise<readonly number[]> => {
  const compiled = right(compile(spec));
  const session = await createSession(compiled, backend, initialState(compiled, 1));
  const results: number[] = [];
  for (let i = 0; i < 3; i++) {
    const { loss, committed, terms } = await session.step(pixels(batch * 16));
    expect(committed).toBe(true);
    expect(Object.keys(terms).sort()).toEqual(Object.keys(spec.objective).sort());
    results.push(loss);
  }
  const codes = await session.encode(pixels(batch * 16));
  expect(codes.length).toBe(batch * 3);
  session.dispose();
  return results;
};

describe.each(Object.entries(models))('%s', (_, model) => {
  const spec = training(model);

  test('is data', () => {
    const json: unknown = JSON.parse(JSON.stringify(right(encodeExperiment(spec))));
    expect(right(decodeExperiment(json))).toEqual(spec);
  });

  test('trains on wasm, and on native in the same way', async () => {
    const found = await losses(spec, backends.wasm);
    expect(new Set(found).size).toBe(found.length);
    if (!hasNative()) return;
    const native = await losses(spec, right(nativeBackend()));
    native.forEach((loss, i) =>
      expect(Math.abs(loss - elementAt(found, i))).toBeLessThan(
        2e-3 * Math.max(1, Math.abs(elementAt(found, i))),
      ),
    );
  });
});

test('a Gaussian encoder encodes by its mean, wherever that head stands', () => {
  const spec = training(entryOf(models, 'VAE'));
  const { layers, ...rest } = spec.encoder;
  const last = elementAt(layers, layers.length - 1);
  if (last.tag !== 'heads') throw new Error('no heads');
  const [mean, logVariance] = [entryOf(last.heads, 'mean'), entryOf(last.heads, 'logVariance')];
  const turned = {
    ...rest,
    layers: [...layers.slice(0, -1), { ...last, heads: { logVariance, mean } }],
  };
  for (const net of [spec.encoder, turned]) {
    const { program } = elaborateEncoder({ ...spec, encoder: net });
    const inputs = feed(program, [], 3);
    const headless = new Map(
      [...inputs].map(([name, values]) => [name, name.includes('/logVariance/') ? values.fill(NaN) : values]),
    );
    expect(arrayOf(interpret(program, headless), 'code').every(Number.isFinite)).toBe(true);
  }
});
