/** The paper's three architectures: they fit as we read them, not as two of them are printed, and each takes a step on its data's size. */
import { elementAt } from '../../dsl/lookup.js';
import { describe, expect, test } from 'vitest';
import { compile } from '../../compiler/index.js';
import { adam, type Experiment, experiment, type Layer, showProblem, sizeOf } from '../../dsl/index.js';
import celeba from '../../examples/celeba.js';
import cifar10 from '../../examples/cifar10.js';
import mnist from '../../examples/mnist.js';
import { celebaNetworks, cifar10Networks, mnistNetworks } from '../../examples/architectures.js';
import { type Model, paperModels } from '../../objectives/index.js';
import type { Backend } from '../../backends/backend.js';
import { createSession, initialState } from '../../runs/index.js';
import { backends, hasNative, nativeBackend } from '../shared/backends.js';
import { left, right } from '../shared/either.js';

const stepOn = async (model: Model, backend: Backend): Promise<void> => {
  const spec = experiment({ ...model, optimizer: adam({ rate: 1e-3 }), batch: 2, steps: 1, data: 'none' });
  const compiled = right(compile(spec));
  const session = await createSession(compiled, backend, initialState(compiled, 1));
  const count = 2 * sizeOf(spec.encoder.input);
  const event = await session.step(
    Float32Array.from({ length: count }, (_, i) => 0.5 + 0.5 * Math.sin(i * i + 1)),
  );
  session.dispose();
  expect(event.committed).toBe(true);
  expect(event.gradientNorm).toBeGreaterThan(0);
};

describe('at a reduced width', () => {
  const [digits, objects, faces] = [mnistNetworks(1 / 16), cifar10Networks(1 / 64), celebaNetworks(1 / 128)];
  const models = {
    mnist: paperModels['AE+SN'](digits.encoder, digits.decoder),
    cifar10: paperModels['VAE'](objects.encoder, objects.decoder),
    celeba: paperModels['InjFlow-ln'](faces.encoder, faces.decoder),
  };
  test.each(Object.entries(models))('%s takes a step on wasm', (_, model) => stepOn(model, backends.wasm));
  test.runIf(hasNative()).each(Object.entries(models))('%s takes a step on native', (_, model) =>
    stepOn(model, right(nativeBackend())),
  );
});

/** The decoder's strides as printed: those of its transposed convolutions in order. */
const withStrides = (spec: Experiment, strides: readonly number[]): Experiment => {
  const places = spec.decoder.layers.flatMap((layer, i) => (layer.tag === 'convTranspose' ? [i] : []));
  const layers = spec.decoder.layers.map((layer, i): Layer =>
    layer.tag === 'convTranspose' ? { ...layer, stride: elementAt(strides, places.indexOf(i)) } : layer,
  );
  const decoder = { ...spec.decoder, layers };
  const objective = paperModels['AE'](spec.encoder, decoder).objective;
  return { ...spec, decoder, objective };
};

describe('in full', () => {
  /** Weights of layers one after another: channels between them, each layer with the area of its kernel. */
  const weights = (channels: readonly number[], areas: readonly number[]): number =>
    areas.reduce((total, area, i) => total + area * elementAt(channels, i) * elementAt(channels, i + 1), 0);
  const five = (area: number): readonly number[] => [area, area, area, area, area];

  test.each([
    [
      'mnist',
      mnist,
      weights([1, 64, 128, 256, 512, 512], five(16)) + 4 * 4 * 512 * 32,
      32 * 7 * 7 * 256 + weights([256, 512, 256, 128, 64, 1], five(16)),
    ],
    [
      'cifar10',
      cifar10,
      weights([3, 128, 256, 512, 1024, 1024], five(16)) + 4 * 4 * 1024 * 128,
      128 * 8 * 8 * 512 + weights([512, 1024, 512, 256, 128, 128, 3], [...five(16), 1]),
    ],
    [
      'celeba',
      celeba,
      weights([3, 128, 256, 512, 1024, 1024], five(25)) + 4 * 4 * 1024 * 128,
      128 * 16 * 16 * 512 + weights([512, 1024, 512, 256, 128, 128, 3], [...five(25), 25]),
    ],
  ])('%s has the weights that the paper’s table adds up to', (_, spec, encoder, decoder) => {
    const compiled = right(compile(spec));
    const count = (name: string): number =>
      compiled.parameters
        .filter((p) => p.name.startsWith(`${name}/`) && p.name.endsWith('/kernel'))
        .reduce((total, { shape }) => total + sizeOf(shape), 0);
    expect([count('encoder'), count('decoder')]).toEqual([encoder, decoder]);
  });

  test.each([
    ['cifar10', cifar10, '[128,128,3]', '[32,32,3]'],
    ['celeba', celeba, '[256,256,3]', '[64,64,3]'],
  ])('%s does not add up with the strides as printed', (_, spec, found, expected) => {
    const problems = left(compile(withStrides(spec, [1, 2, 2, 2, 2]))).map(showProblem);
    expect(problems).toContain(
      `decoder: found an output of shape ${found}, expected ${expected}, the input of the encoder`,
    );
  });
});
