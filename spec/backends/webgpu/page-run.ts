/** A step of a small network that a page and Node run alike. */
import type { ArrayBackend } from '../../../backends/backend.js';
import { createWebgpuBackend } from '../../../backends/webgpu/webgpu.js';
import { compile, elementCount } from '../../../compiler/index.js';
import { adam, dense, experiment, input, network, pipe, tanh } from '../../../dsl/index.js';
import { injFlowLn } from '../../../objectives/index.js';
import { right } from '../../shared/either.js';

const encoder = network('encoder', pipe(input(5), dense(17), tanh, dense(2)));
const decoder = network('decoder', pipe(input(2), dense(17), tanh, dense(5)));
const spec = experiment({
  encoder,
  decoder,
  objective: injFlowLn(encoder, decoder),
  optimizer: adam({ rate: 1e-3 }),
  batch: 33,
  steps: 1,
  data: 'given',
});

/** All that a step gives. */
export const stepOn = async (backend: ArrayBackend): Promise<readonly (readonly number[])[]> => {
  const { step } = right(compile(spec));
  await backend.prepare?.(step);
  const executable = backend.load(step);
  const inputs = new Map(
    step.binders.map(({ kind, name, var: x }) => {
      const size = elementCount(x.type, step.batch);
      const values = Float32Array.from({ length: size }, (_, i) =>
        kind === 'scalar' ? 3 : Math.fround((i * i) % 1.7) - 0.8,
      );
      return [name, backend.upload(values.map((v) => (name.startsWith('adam/') ? v * v : v)))];
    }),
  );
  const outputs = executable.run(inputs);
  const values = await Promise.all(outputs.map(backend.download));
  return values.map((array) => [...array]);
};

export const stepOnWebgpu = async (): Promise<readonly (readonly number[])[]> =>
  stepOn(right(await createWebgpuBackend()));
